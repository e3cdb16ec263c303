"""A probe that is stopped anywhere ends with the bits of one that was not."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from preimage.probing import RAW, ProbeResult, networks, probe
from preimage.probing.packing import pack
from preimage.probing.twins import Twin, random_twin


@pytest.fixture(scope="module")
def photos() -> Tensor:
    coarse = torch.rand(16, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    return 255 * nn.functional.interpolate(coarse, (8, 12), mode="bicubic").clamp(0, 1)


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return nn.Sequential(nn.Conv2d(3, 5, 2, 2), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten())


def run(
    photos: Tensor, out: Path | None, model: nn.Module | None = None, **how: int
) -> ProbeResult:
    layers = ["0", "2", "3"]
    twins = how.pop("twins", 3)
    return probe(model or network(), photos, layers, preprocessing=RAW, twins=twins, out=out, **how)  # type: ignore[arg-type]


def same(one: ProbeResult, two: ProbeResult) -> bool:
    (a, tensors), (b, others) = pack(one), pack(two)
    equal = a == b and tensors.keys() == others.keys()
    return equal and all(torch.equal(tensors[name], others[name]) for name in tensors)


def test_stopped_in_the_third_network_and_resumed(
    photos: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def stopped(model: nn.Module, seed: int, *rest: object) -> Twin:
        calls.append(seed)
        if calls == [0, 1]:
            raise KeyboardInterrupt
        return random_twin(model, seed, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(networks, "random_twin", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(photos, tmp_path / "probe")
    kept = tmp_path / "probe" / "networks"
    assert sorted(path.name for path in kept.glob("*.safetensors")) == [
        "trained.safetensors",
        "twin-0.safetensors",
    ]
    resumed = run(photos, tmp_path / "probe")
    assert calls == [0, 1, 1, 2]  # what was finished is not computed again
    assert same(resumed, run(photos, None))
    calls[:] = [7]
    # More twins are added to those that are there; fewer take the first.
    more = run(photos, tmp_path / "probe", twins=4)
    assert more["2"].twins[:3] == resumed["2"].twins
    assert len(run(photos, tmp_path / "probe", twins=1)["0"].twins) == 1
    assert calls == [7, 3]


def test_killed_and_resumed(photos: Tensor, tmp_path: Path) -> None:
    child = os.fork()
    if not child:

        def killed(model: nn.Module, seed: int, *rest: object) -> Twin:
            if seed == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return random_twin(model, seed, *rest)  # type: ignore[arg-type]

        networks.random_twin = killed  # type: ignore[assignment]
        try:
            run(photos, tmp_path / "probe")
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    first = tmp_path / "probe" / "networks" / "twin-0.safetensors"
    before = first.stat().st_mtime_ns
    assert same(run(photos, tmp_path / "probe"), run(photos, None))
    assert first.stat().st_mtime_ns == before


def test_a_damaged_file_is_computed_again(
    photos: Tensor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = run(photos, tmp_path, twins=1)
    path = tmp_path / "networks" / "twin-0.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    assert same(run(photos, tmp_path, twins=1), one)
    assert "twin-0.safetensors: damaged; it is computed again" in caplog.text
    caplog.clear()
    assert same(run(photos, tmp_path, twins=1), one)
    assert not caplog.text


@pytest.mark.usefixtures("no_hint_checks")
def test_a_folder_of_other_settings_is_refused(photos: Tensor, tmp_path: Path) -> None:
    run(photos, tmp_path, twins=0)
    run(photos, tmp_path, twins=0)
    changed = network()
    with torch.no_grad():
        changed[0].bias[0] += 1  # type: ignore[index]
    with pytest.raises(ValueError, match="holds a probe with other model; name another folder"):
        run(photos, tmp_path, changed, twins=0)
    with pytest.raises(ValueError, match="with other photos, seed; name another folder"):
        run(photos.flip(0), tmp_path, twins=0, seed=3)
    with pytest.raises(ValueError, match="with other window"):
        run(photos, tmp_path, twins=0, window=3)
    (tmp_path / "settings.json").write_text(json.dumps({"colour": "red"}))
    with pytest.raises(ValueError, match=r"settings\.json is not the settings of a probe"):
        run(photos, tmp_path, twins=0)
