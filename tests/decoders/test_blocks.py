"""Features and pixels on one grid, against loops."""

import pytest
import torch

from preimage.decoders.blocks import on_blocks, to_blocks
from preimage.network.trace import Alignment


@pytest.mark.parametrize("size", [(8, 6), (7, 5), (5, 9)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_blocks_hold_their_pixels(size: tuple[int, int], stride: int) -> None:
    """Output (c, i, j) of block (a, b) is pixel (c, s·a + i, s·b + j), the last one repeated."""
    height, width = size
    photos = torch.arange(2.0 * 3 * height * width).view(2, 3, height, width)
    found = to_blocks(photos, stride)
    rows, columns = -(-height // stride), -(-width // stride)
    assert found.shape == (2, 3 * stride**2, rows, columns)
    for a in range(rows):
        for b in range(columns):
            block = found[:, :, a, b].view(2, 3, stride, stride)
            for i in range(stride):
                for j in range(stride):
                    y, x = min(stride * a + i, height - 1), min(stride * b + j, width - 1)
                    assert torch.equal(block[:, :, i, j], photos[:, :, y, x])


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_maps_are_shifted_to_their_blocks(shift: int) -> None:
    """Block (a, b) has the feature at (a − shift, b − shift), or the nearest one there is."""
    maps = torch.arange(2.0 * 3 * 4).view(1, 2, 3, 4)
    found = on_blocks(maps, Alignment(4, shift), (20, 17))
    assert found.shape == (1, 2, 5, 5)
    for a in range(5):
        for b in range(5):
            y, x = min(max(a - shift, 0), 2), min(max(b - shift, 0), 3)
            assert torch.equal(found[:, :, a, b], maps[:, :, y, x])


def test_maps_that_fit_are_not_copied() -> None:
    maps = torch.ones(1, 2, 3, 4)
    assert on_blocks(maps, Alignment(2), (6, 8)) is maps
