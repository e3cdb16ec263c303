"""Only the largest magnitudes: against features that are small by construction."""

import pytest
import torch
from torch import Tensor, nn

from preimage.probing import RAW, probe
from preimage.probing.linear_rung import Experiment
from preimage.probing.photos import ProbePhotos
from preimage.probing.targets import find_targets
from preimage.probing.top_magnitudes import largest, top_magnitudes


@pytest.fixture(scope="module")
def photos() -> Tensor:
    coarse = torch.rand(24, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    return 255 * nn.functional.interpolate(coarse, (16, 20), mode="bilinear")


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.ReLU(), nn.Flatten(), nn.Linear(160, 3))


def experiment(model: nn.Module, photos: Tensor) -> Experiment:
    targets = find_targets(model, ["1", "3"], RAW, photos)
    return Experiment(targets, RAW, ProbePhotos(photos[:18], photos[18:]))


def test_the_largest_are_kept(generator: torch.Generator) -> None:
    maps = torch.randn(2, 5, 3, 4, generator=generator)
    kept = largest(maps, 2)
    assert bool(((kept != 0).sum(1) == 2).all())
    smallest_kept = torch.where(kept != 0, kept.abs(), torch.inf).amin(1)
    largest_left = torch.where(kept == 0, maps.abs(), -torch.inf).amax(1)
    assert bool((smallest_kept >= largest_left).all())
    assert largest(maps, 5) is maps


def test_all_of_them_are_the_layer_itself(model: nn.Module, photos: Tensor) -> None:
    points = top_magnitudes(model, experiment(model, photos), "1", (8, 2, 1))
    assert [point.level for point in points] == [8.0, 2.0, 1.0]
    result = probe(
        model, photos[:18], ["1"], held_out=photos[18:], preprocessing=RAW, twins=0, leakage=True
    )
    curve = result["1"].leakage
    assert curve is not None
    # The ridge is one of channels as the first batch scales them, or as all photos do.
    whole = curve.series["noise"][0]
    assert points[0].mse == pytest.approx(whole.mse, rel=2e-3)
    assert points[0].mse_in_sample == pytest.approx(whole.mse_in_sample, rel=2e-3)
    assert points[0].mse < points[1].mse < points[2].mse


@pytest.mark.usefixtures("no_hint_checks")
def test_what_is_refused(model: nn.Module, photos: Tensor) -> None:
    with pytest.raises(ValueError, match="`layer` must be maps or tokens among 1, got 3"):
        top_magnitudes(model, experiment(model, photos), "3", (1,))
    with pytest.raises(ValueError, match="`counts` must be one or more numbers from 1 on"):
        top_magnitudes(model, experiment(model, photos), "1", (0,))
