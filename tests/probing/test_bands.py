"""Energies by colour and frequency: they add up, and land where they should."""

from math import cos, pi

import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor

from preimage.probing.bands import AXES, BandReport, Bands, BandSums

SIZE = (18, 30)


@pytest.fixture
def photos(generator: torch.Generator) -> Tensor:
    return 255 * torch.rand(12, 3, *SIZE, generator=generator)


def bands_of(output: Tensor, photos: Tensor) -> Bands:
    sums = BandSums(photos.mean(0))
    for part in (slice(0, 5), slice(5, 12)):
        sums.add_photos(photos[part])
        sums.add("layer", output[part], photos[part])
    return sums.bands("layer")


def test_the_parts_add_up_to_the_whole(photos: Tensor) -> None:
    output = (photos + 30).clamp(0, 255)
    bands = bands_of(output, photos)
    mse = (output - photos).square().mean((1, 2, 3))
    variance = (photos - photos.mean(0)).square().mean((1, 2, 3))
    torch.testing.assert_close(bands.error.sum((1, 2)).float(), mse, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(bands.energy.sum((1, 2)).float(), variance, rtol=1e-4, atol=1e-4)
    assert bands.retained().mean == pytest.approx(1 - float(mse.sum() / variance.sum()), abs=1e-5)


def test_a_perfect_and_an_empty_reconstruction(photos: Tensor) -> None:
    assert bands_of(photos, photos).retained(1, 3).mean == pytest.approx(1, abs=1e-6)
    empty = bands_of(photos.mean(0).expand_as(photos), photos)
    for axis in range(3):
        for band in range(len(empty.edges) - 1):
            assert empty.retained(axis, band).mean == pytest.approx(0, abs=1e-4)


def test_a_wave_lands_in_its_band_and_its_colour() -> None:
    """Wave 12 of 30 columns: 0.2 cycles per pixel; red against green."""
    wave = torch.tensor([cos(pi * 12 * (x + 0.5) / 30) for x in range(30)])
    photos = torch.full((2, 3, *SIZE), 100.0)
    missed = photos.clone()
    missed[:, 0] += 20 * wave
    missed[:, 1] -= 20 * wave
    bands = bands_of(missed.repeat(6, 1, 1, 1), photos.repeat(6, 1, 1, 1))
    share = bands.error.mean(0) / bands.error.mean(0).sum()
    place = divmod(int(share.argmax()), share.shape[1])
    assert AXES[place[0]] == "red–green"
    assert bands.edges[place[1]] < 0.2 < bands.edges[place[1] + 1]
    assert float(share.max()) == pytest.approx(1, abs=1e-5)


def test_the_interval_is_that_of_a_ratio(photos: Tensor, generator: torch.Generator) -> None:
    """Against the jackknife: each photo left out in turn."""
    scale = torch.rand(12, 1, 1, 1, generator=generator)
    bands = bands_of((photos * scale).clamp(0, 255), photos)
    energy, error = bands.energy.sum((1, 2)), bands.error.sum((1, 2))
    left_out = torch.stack(
        [1 - (error.sum() - error[i]) / (energy.sum() - energy[i]) for i in range(12)]
    )
    jackknife = float(((left_out - left_out.mean()).square().sum() * 11 / 12).sqrt())
    assert bands.retained().stderr == pytest.approx(jackknife, rel=0.1)


def test_rows_compare_with_twins(photos: Tensor) -> None:
    trained = bands_of(photos, photos)
    twins = [bands_of((photos + level).clamp(0, 255), photos) for level in (10.0, 20.0, 30.0)]
    report = BandReport(trained, twins)
    rows = report.rows()
    assert len(rows) == 4 * len(trained.edges)
    whole = rows[-1]
    assert (whole["colour"], whole["low"], whole["high"]) == ("all", 0.0, trained.edges[-1])
    assert whole["difference"] == pytest.approx(whole["retained"] - whole["twins"])
    assert whole["over_draws"] > 0
    assert BandReport(trained).rows()[0]["difference"] is None
    axes = Figure().subplots()
    report.plot(axes)
    assert len(axes.lines) >= 12


def test_photos_without_colour_retain_none(photos: Tensor) -> None:
    grey = photos[:, :1].expand(-1, 3, -1, -1)
    bands = bands_of(0.5 * grey + 0.5 * grey.mean(0), grey)
    assert bands.retained(0, 3).mean == pytest.approx(0.75, abs=0.1)
    assert bands.retained(1).mean == bands.retained(2, 3).mean == 0
