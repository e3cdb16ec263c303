"""Positions that see the whole photo are laid where a linear decoder reads them best."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from preimage.decoders.blocks import to_blocks
from preimage.network.trace import Alignment
from preimage.probing.alignment import Placement
from preimage.probing.shifts import choose_shifts

GRID = Placement(Fraction(4), 1.5, None, "grid")


@pytest.fixture
def photos(generator: torch.Generator) -> Tensor:
    return 255 * torch.rand(16, 3, 20, 28, generator=generator)


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_the_block_that_features_are_of(photos: Tensor, shift: int) -> None:
    """Feature (i, j) is of block (i + shift, j + shift), and of the photo's mean."""

    def features(pixels: Tensor) -> dict[str, Tensor]:
        blocks = to_blocks(pixels, 4)[:, ::2].roll((-shift, -shift), (2, 3))
        return {"x": blocks + pixels.mean((1, 2, 3))[:, None, None, None]}

    found = choose_shifts(features, {"x": GRID}, photos)["x"]
    assert (found.how, found.alignment) == ("chosen", Alignment(4, shift))
    assert found.centre == 1.5 + 4 * shift


def test_what_was_measured_stays(photos: Tensor) -> None:
    measured = Placement(Fraction(4), 5.5, 9, "measured")

    def features(pixels: Tensor) -> dict[str, Tensor]:
        return {name: to_blocks(pixels, 4) for name in ("x", "y")}

    found = choose_shifts(features, {"x": measured, "y": GRID}, photos)
    assert found == {"x": measured, "y": Placement(Fraction(4), 1.5, None, "chosen")}


def test_too_few_photos_leave_the_grid(photos: Tensor) -> None:
    """And nothing is computed."""

    def features(pixels: Tensor) -> dict[str, Tensor]:
        raise AssertionError

    assert choose_shifts(features, {"x": GRID}, photos[:7]) == {"x": GRID}


def test_features_that_tell_nothing_leave_the_grid_in_place(photos: Tensor) -> None:
    def features(pixels: Tensor) -> dict[str, Tensor]:
        return {"x": torch.ones(len(pixels), 5, 5, 7)}

    assert choose_shifts(features, {"x": GRID}, photos)["x"].alignment == Alignment(4, 0)


def test_half_a_block_leaves_the_grid_in_place(photos: Tensor) -> None:
    """Features that tell as much of the next block: six photos can't say which is nearer."""

    def features(pixels: Tensor) -> dict[str, Tensor]:
        blocks = to_blocks(pixels, 4)[:, ::4]
        return {"x": 0.98 * blocks + blocks.roll((-1, -1), (2, 3))}

    assert choose_shifts(features, {"x": GRID}, photos)["x"].alignment == Alignment(4, 0)
