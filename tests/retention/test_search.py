"""The grid of architectures, and what the search says of each."""

from dataclasses import replace

import pytest
import torch

from preimage import vgg16
from preimage.network.trace import alignment
from preimage.retention.kernel_ridge import fit
from preimage.retention.layer import KernelOptions, layer_problem
from preimage.retention.layer_retention import decibels
from preimage.retention.positions import Sampling
from preimage.retention.search import (
    FAMILIES,
    SHARES,
    ArchitectureRetention,
    architectures,
    behind_pools,
    best_of_families,
    search,
)
from preimage.retention.width import WidthCurve


def test_the_grid_has_sixty_architectures_of_the_stride_that_they_say() -> None:
    grid = list(architectures())
    assert len(grid) == len({(each.family, each.encoder.name) for each in grid}) == 60
    for each in grid:
        assert alignment(each.encoder).stride == (1 if each.family == "stride 1" else 2)
    assert {each.family for each in grid} == set(FAMILIES)


@pytest.mark.usefixtures("no_hint_checks")
def test_a_row_is_the_kernels_regression_and_its_curve() -> None:
    generator = torch.Generator().manual_seed(0)
    small = 255 * torch.rand(12, 3, 5, 5, generator=generator)
    photos = torch.nn.functional.interpolate(small, size=(14, 14), mode="bilinear").byte()
    options = KernelOptions(sampling=Sampling(24, 12, 2), dtype=torch.float64, threads=1)
    one = next(each for each in architectures() if each.encoder.convs[0].kernel_size == 3)
    network = vgg16().with_width(30).with_pool("avg")
    (behind,) = behind_pools(network, ["conv1"])
    first, second = search([one, behind], photos[:9], photos[9:], options)
    problem = layer_problem(one.encoder, photos[:9], photos[9:], options)[1]
    assert first.psnr == pytest.approx(decibels(fit(problem).mse))
    assert (first.stride, first.field, first.positions, first.own) == (1, 3, 24, None)
    assert [share for share, _ in first.curve] == [share for share in SHARES if share > 1 / 8]
    ridges = [10 ** (-half / 2) for half in range(2, 21)]
    assert first.at(4) == pytest.approx(decibels(WidthCurve(problem).best(12, ridges)[0]))
    assert second.own == (30 / 12, pytest.approx(second.own[1])) if second.own else False
    assert second.family == "conv1"


def test_of_each_family_the_best_at_each_share() -> None:
    row = ArchitectureRetention("a", "strided", 2, 3, 8, 30.0, ((1.0, 20.0), (4.0, 22.0)))
    other = replace(row, name="b", psnr=28.0, curve=((1 / 4, 15.0), (1.0, 21.0)))
    third = replace(row, family="stride 1", curve=((1.0, 1.0),), psnr=2.0)
    assert best_of_families([row, other, third]) == [
        ("strided", [(1 / 4, 15.0), (1.0, 21.0), (4.0, 22.0)], 30.0),
        ("stride 1", [(1.0, 1.0)], 2.0),
    ]
