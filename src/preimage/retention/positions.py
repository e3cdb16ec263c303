"""Which positions of which photos are used, and the blocks of pixels that they lie on.

Positions come in square tiles, since neighbours share most of their kernel's cost
(`network.limit.tiles`). Within a tile they are alike, so that a tile of 16 tells less than 16
positions of 16 photos would; networks are compared on the same tiles.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from preimage.decoders.blocks import to_blocks
from preimage.network.laws import stream
from preimage.network.limit.tiles import Tiles
from preimage.network.trace import Alignment, Size

MEAN = 127.5  # taken from the pixels: products lose fewer digits


@dataclass(frozen=True)
class Sampling:
    """How many positions are taken, and how.

    Args:
        positions: of the training photos, rounded up to whole tiles.
        held_out: of the held-out photos.
        tile: side of a tile; smaller where the layer's map is.
        seed: of the tiles' places.
    """

    positions: int = 4096
    held_out: int = 1024
    tile: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("positions", "held_out", "tile"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be positive, got {getattr(self, name)}.")


def sample_tiles(
    count: int,
    photos: int,
    map_size: Size,
    blocks: Size,
    alignment: Alignment,
    tile: int,
    seed: int,
) -> Tiles:
    """Tiles of `count` positions or a little more, spread evenly over the photos.

    Of each photo some cells of a grid of tiles, which begins at a random position.

    Args:
        map_size: of the layer's features.
        blocks: of the photo, in blocks of pixels; only positions that lie on one are taken.

    Raises:
        ValueError: the photos have too few positions.
    """
    firsts = max(0, -alignment.shift)
    ends = [min(n, b - alignment.shift) for n, b in zip(map_size, blocks, strict=True)]
    lengths = [end - firsts for end in ends]
    if min(lengths) < 1:
        raise ValueError("the photos are too small: no position of the layer lies on one of them.")
    sides = (min(tile, lengths[0]), min(tile, lengths[1]))
    cells = [length // side for length, side in zip(lengths, sides, strict=True)]
    wanted = -(-count // (sides[0] * sides[1]))
    if wanted > photos * cells[0] * cells[1]:
        most = photos * cells[0] * cells[1] * sides[0] * sides[1]
        raise ValueError(
            f"`positions`: {photos} photos have {most:,} positions of this layer in whole tiles, "
            f"fewer than {count:,}; give more photos, or ask for fewer."
        )
    numbers, corners = [], []
    for photo in range(photos):
        share = wanted * (photo + 1) // photos - wanted * photo // photos
        generator = stream(seed, photo, "tiles")
        phase = [
            int(torch.randint(length - side * cell + 1, (), generator=generator)) + firsts
            for length, side, cell in zip(lengths, sides, cells, strict=True)
        ]
        order = torch.randperm(cells[0] * cells[1], generator=generator)[:share].tolist()
        for cell in sorted(order):
            row, column = divmod(cell, cells[1])
            corners.append([phase[0] + sides[0] * row, phase[1] + sides[1] * column])
            numbers.append(photo)
    return Tiles(torch.tensor(numbers), torch.tensor(corners), sides)


def distinct(numbers: Int64[Tensor, " n"]) -> tuple[Int64[Tensor, " m"], Int64[Tensor, " n"]]:
    """The different numbers, sorted, and of each number its place among them."""
    values, places = np.unique(numbers.numpy(), return_inverse=True)
    return torch.from_numpy(values), torch.from_numpy(places)


def photo_numbers(tiles: Tiles) -> Tensor:
    """The photo of each position."""
    return tiles.photos.repeat_interleave(tiles.size[0] * tiles.size[1])


def tile_targets(
    photos: UInt8[Tensor, "N D H W"], tiles: Tiles, alignment: Alignment
) -> Float[Tensor, "P Q"]:
    """The block of pixels that each position lies on, less `MEAN`, float64."""
    stride, shift = alignment
    chosen, numbers = distinct(tiles.photos)
    blocks = to_blocks(photos[chosen].double() - MEAN, stride)
    rows, columns = (
        torch.arange(side)[:, None] + tiles.corners[:, axis] + shift
        for axis, side in enumerate(tiles.size)
    )
    return blocks[numbers, :, rows[:, None], columns[None]].permute(2, 0, 1, 3).flatten(0, 2)


def tile_pictures(
    targets: Float[Tensor, "P Q"], tiles: Tiles, stride: int
) -> Float[Tensor, "T D h w"]:
    """Pixels in [0, 255], not clipped, of positions in the order of `tile_targets`."""
    grid = targets.view(len(tiles), *tiles.size, -1).permute(0, 3, 1, 2)
    return F.pixel_shuffle(grid + MEAN, stride)
