"""What a probe will take, from its first photos: what is counted, not how long a machine needs."""

from pathlib import Path

import pytest
import torch
from torch import nn

from preimage.probing import RAW, DcnOptions, InversionOptions, costs
from preimage.probing.climb import piece_name
from preimage.probing.costs import probe_cost
from preimage.probing.networks import NetworkResult
from preimage.probing.store import Store


def test_networks_layers_and_rungs_are_counted() -> None:
    model = nn.Sequential(nn.Conv2d(3, 5, 4, 4), nn.ReLU(), nn.Flatten(), nn.Linear(75, 4))
    photos = 255 * torch.rand(20, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    cost = probe_cost(
        model,
        photos,
        ["1", "3"],
        preprocessing=RAW,
        twins=2,
        rungs=("linear", "dcn", "inversion"),
        dcn=DcnOptions(steps=50, batch_size=2, width=4),
        inversion=InversionOptions(photos=2, steps=10, batch_size=2),
    )
    assert (cost.networks, cost.training, cost.held_out) == (3, 15, 5)
    assert [target.name for target in cost.targets] == ["1", "3"]
    assert cost.seconds > 0
    assert list(cost.rungs) == ["dcn", "inversion"]
    assert min(cost.rungs.values()) > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_is_kept_is_not_timed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("trained", "twin-0"):
        Store(tmp_path).save(name, NetworkResult({}))
    for name in ("_linear_seconds", "_rung_seconds"):
        monkeypatch.setattr(costs, name, lambda *_: 7.0)
    photos = 255 * torch.rand(20, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    model, rungs = nn.Sequential(nn.Conv2d(3, 5, 4, 4)), ("linear", "dcn")
    cost = probe_cost(model, photos, ["0"], preprocessing=RAW, twins=3, rungs=rungs, out=tmp_path)
    assert (cost.linear, cost.rungs) == (2 * 7, {"dcn": 2 * 7})  # of the network and its first twin
    assert cost.seconds == 28
    assert cost.memory > 450e6
    for index in (None, 0):
        Store(tmp_path).save(piece_name(index, "dcn", "0", DcnOptions()), NetworkResult({}))
    cost = probe_cost(model, photos, ["0"], preprocessing=RAW, twins=1, rungs=rungs, out=tmp_path)
    assert cost.seconds == 0


def test_an_unknown_rung_is_refused() -> None:
    photos = torch.zeros(20, 3, 12, 20)
    with pytest.raises(ValueError, match="`rungs` must name linear"):
        probe_cost(nn.Conv2d(3, 5, 4, 4), photos, preprocessing=RAW, rungs=("linear", "magic"))
