"""Floors and ceilings against what they are by definition."""

import pytest
import torch
from torch import Tensor

from preimage.decoders.blocks import to_blocks
from preimage.probing.controls import another_photo, block_basis, shuffled_positions, usable_bits


def rows(photos: Tensor, stride: int) -> Tensor:
    """Blocks (n, 3·s²), float64."""
    return to_blocks(photos, stride).movedim(1, -1).flatten(0, 2).double()


@pytest.mark.parametrize("count", [3, 20])  # 12 blocks of 48 values; 80
def test_the_ceiling_is_that_of_principal_components(
    generator: torch.Generator, count: int
) -> None:
    photos = 255 * torch.rand(count, 3, 8, 8, generator=generator)
    basis = block_basis(photos, 4, 7)
    assert basis is not None
    blocks = rows(photos, 4)
    left = torch.linalg.svdvals(blocks - blocks.mean(0))[7:].square().sum() / blocks.numel()
    assert float(basis.squared_error(photos).mean()) == pytest.approx(float(left), rel=1e-5)
    assert len(basis.directions) == 7


def test_no_more_directions_than_blocks(generator: torch.Generator) -> None:
    photos = 255 * torch.rand(2, 3, 8, 12, generator=generator)
    basis = block_basis(photos, 4, 40)  # of 12 blocks, 11 differences from their mean
    assert basis is not None
    assert len(basis.directions) == 11
    assert float(basis.squared_error(photos).max()) < 1e-6


def test_a_rank_that_is_no_limit_has_no_ceiling(generator: torch.Generator) -> None:
    photos = torch.rand(2, 3, 8, 8, generator=generator)
    assert block_basis(photos, 2, 12) is None


def test_features_of_others(generator: torch.Generator) -> None:
    maps = torch.rand(3, 2, 4, 5, generator=generator)
    assert torch.equal(another_photo(maps)[1], maps[0])
    shuffled = shuffled_positions(maps, 0)
    assert not torch.equal(shuffled, maps)
    assert torch.equal(shuffled.flatten(2).sort(2).values, maps.flatten(2).sort(2).values)


def test_six_decibels_are_a_bit() -> None:
    assert usable_bits(26.0206, 20.0) == pytest.approx(1, abs=1e-5)
