"""Correlations with the picture: against their definitions, and blind to mixing of channels."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.cross_decomposition import CCA
from torch import Tensor, nn

from preimage import Alignment
from preimage.decoders.blocks import to_blocks
from preimage.probing.correlations import (
    CorrelationReport,
    Correlations,
    picture_components,
)
from preimage.probing.leakage_sums import MapSums
from preimage.probing.linear import LinearSums

SIZE = (12, 20)


@pytest.fixture(scope="module")
def photos() -> Tensor:
    """Photos (60, 3, 12, 20), whose pixels are correlated; the last 20 are held out."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(60, 3, 4, 6, generator=generator, dtype=torch.float64)
    fine = torch.rand(60, 3, *SIZE, generator=generator, dtype=torch.float64)
    return 200 * nn.functional.interpolate(coarse, SIZE, mode="bilinear") + 55 * fine


@pytest.fixture(scope="module")
def maps(photos: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    mixing = torch.randn(6, 48, generator=generator, dtype=torch.float64)
    return torch.einsum("cq,nqhw->nchw", mixing, to_blocks(photos - 127, 4)).relu()


def correlations_of(maps: Tensor, photos: Tensor, held: slice = slice(40, 60)) -> Correlations:
    sums = LinearSums(Alignment(4))
    sums.add(maps[:40], photos[:40], [i % 5 == 1 for i in range(40)])
    scored = MapSums(sums.solve((1e-9,)))
    scored.add(maps[held], photos[held])
    return scored.correlations(picture_components(photos[:40], photos[held], 4))


def test_each_component_is_read_as_a_regression_reads_it(photos: Tensor, maps: Tensor) -> None:
    found = correlations_of(maps, photos)
    picture = picture_components(photos[:40], photos[40:], 4)
    x, y = (part.movedim(1, -1).flatten(1, 2) for part in (maps, to_blocks(photos, 4)))
    ones = torch.ones(600, 1, dtype=torch.float64)
    fitted = torch.cat([x[:40].flatten(0, 1), ones], 1)
    mean = y[:40].flatten(0, 1).mean(0)
    targets = (y - mean) @ picture.directions
    weight = torch.linalg.lstsq(fitted, targets[:40].flatten(0, 1)).solution
    output = x[40:].flatten(0, 1) @ weight[:-1] + weight[-1]
    error = (output - targets[40:].flatten(0, 1)).square().mean(0)
    expected = 1 - error / targets[40:].flatten(0, 1).square().mean(0)
    torch.testing.assert_close(
        torch.tensor(found.retained).double(), expected, rtol=1e-6, atol=1e-6
    )
    assert sum(found.shares) <= 1
    assert found.shares == sorted(found.shares, reverse=True)
    torch.testing.assert_close(
        targets[:40].flatten(0, 1).T @ targets[:40].flatten(0, 1) / 600,
        torch.eye(32, dtype=torch.float64),
    )


def test_the_pairs_are_those_of_a_canonical_analysis(photos: Tensor, maps: Tensor) -> None:
    """Scored on the photos they were found on, they are scikit-learn's."""
    found = correlations_of(maps, photos, slice(0, 40))
    picture = picture_components(photos[:40], photos[:40], 4)
    x = maps[:40].movedim(1, -1).flatten(0, 2).numpy()
    blocks = to_blocks(photos[:40], 4).movedim(1, -1).flatten(0, 2)
    y = ((blocks - blocks.mean(0)) @ picture.directions).numpy()
    a, b = CCA(6, max_iter=5000, tol=1e-12).fit_transform(x, y)
    expected = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(6)]
    assert found.canonical == pytest.approx(expected, abs=1e-4)


def test_mixing_channels_changes_nothing(photos: Tensor, maps: Tensor) -> None:
    mixing = torch.randn(6, 6, dtype=torch.float64)
    mixed = torch.einsum("dc,nchw->ndhw", mixing, maps)
    one, other = correlations_of(maps, photos), correlations_of(mixed, photos)
    assert other.canonical == pytest.approx(one.canonical, abs=1e-5)
    assert other.retained == pytest.approx(one.retained, abs=1e-5)


def test_rows_and_pictures(photos: Tensor, maps: Tensor) -> None:
    trained = correlations_of(maps, photos)
    twins = [correlations_of(maps[:, :4] + 30 * torch.rand(4, 1, 1), photos) for _ in range(2)]
    report = CorrelationReport(trained, twins)
    row = report.rows()[0]
    assert row["difference"] == pytest.approx(row["retained"] - row["twins"])
    assert row["canonical"] >= row["twins_canonical"] - 0.05
    assert report.rows()[5]["twins_canonical"] is None  # twins have four channels, and four pairs
    assert CorrelationReport(trained).rows()[0]["difference"] is None
    axes = Figure().subplots()
    report.plot(axes)
    report.plot(axes, canonical=True)
    assert len(axes.lines) == 6
