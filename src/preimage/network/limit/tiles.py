"""Tiles of positions, and what each operation must compute for pairs of positions of two tiles.

A kernel between all positions of two photos would need all pairs of their pixels. Positions that
are asked for in small square tiles share what they need: a pair of positions (p, p + d), d being
the offset within the tiles, needs pairs of pixels whose offset is d · stride, more or less what
average pools mix. So each operation works on offsets, and for each offset on a rectangle of pixels
of the first tile; `backward_axis` finds both, from the layer back to the image, an axis at a time.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from preimage.network.operations import Conv, Pool
from preimage.network.trace import Size

#: Of an offset between two tiles: the positions (from, to) of the first tile that have a partner.
Ranges = dict[int, tuple[int, int]]


@dataclass(frozen=True)
class Tiles:
    """Tiles of `size` (rows, columns) positions of a layer: their photos, their first positions."""

    photos: Int64[Tensor, " T"]
    corners: Int64[Tensor, "T 2"]
    size: Size

    def __len__(self) -> int:
        return len(self.photos)

    @property
    def positions(self) -> int:
        """The number of positions of all tiles."""
        return len(self) * self.size[0] * self.size[1]

    def __getitem__(self, chosen: slice | Tensor) -> "Tiles":
        return Tiles(self.photos[chosen], self.corners[chosen], self.size)


@dataclass(frozen=True)
class Axis:
    """One axis of an operation: which pairs it gives, which it needs, where its pixels lie.

    The input of a tile begins at pixel `scale` · (first position of the tile) + `start`, and has
    `length` pixels; `ahead` and `out_start` say the same of its output. `inside` and `out_inside`
    are the sizes of the photo's maps.
    """

    given: Ranges
    needed: Ranges
    scale: int
    start: int
    length: int
    out_scale: int
    out_start: int
    out_length: int
    inside: int
    out_inside: int

    def mask(self, corners: Int64[Tensor, " T"]) -> Bool[Tensor, "n T"]:
        """Which pixels of each tile's output lie inside the photo's map."""
        places = self.places(corners)
        return (places >= 0) & (places < self.out_inside)

    def places(self, corners: Int64[Tensor, " T"]) -> Int64[Tensor, "n T"]:
        """The pixel of the photo's map that each pixel of a tile's output is."""
        return torch.arange(self.out_length)[:, None] + self.out_scale * corners + self.out_start

    def sources(self, corners: Int64[Tensor, " T"]) -> Int64[Tensor, "n T"]:
        """The same of the input."""
        return torch.arange(self.length)[:, None] + self.scale * corners + self.start


def backward_axis(
    operations: tuple[Conv | Pool, ...], side: int, lengths: list[int], reach: int
) -> list[Axis]:
    """Of each operation, for tiles of `side` positions and their pairs up to `reach` apart.

    `lengths` are the map's, before and after each operation. The zero offset comes first
    everywhere: it carries the squared norms.
    """
    offsets = sorted(range(-reach, reach + 1), key=abs)
    given: Ranges = {d: (max(0, -d), min(side, side - d)) for d in offsets}
    scale, start, length = 1, 0, side
    axes = []
    for index in range(len(operations) - 1, -1, -1):
        op = operations[index]
        needed = needed_ranges(op, given)
        out_scale, out_start, out_length = scale, start, length
        before = op.padding[0] if isinstance(op, Conv) else 0
        scale, start = op.stride * scale, op.stride * start - before
        length = op.stride * (length - 1) + op.kernel_size
        sizes = (lengths[index], lengths[index + 1])
        axes.append(
            Axis(given, needed, scale, start, length, out_scale, out_start, out_length, *sizes)
        )
        given = needed
    return axes[::-1]


def needed_ranges(op: Conv | Pool, given: Ranges) -> Ranges:
    """The pairs of pixels that these pairs of an operation's output are computed from.

    Equal slots of two windows of a convolution are as far apart as the windows. A pool mixes all
    slots with all.
    """
    if isinstance(op, Conv):
        return {
            op.stride * d: (op.stride * low, op.stride * (high - 1) + op.kernel_size)
            for d, (low, high) in given.items()
        }
    needed: Ranges = {}
    for e, taps in pool_taps(op, given).items():
        lows, highs = zip(
            *(
                (op.stride * given[d][0] + a, op.stride * (given[d][1] - 1) + a + 1)
                for d, a in taps
            ),
            strict=True,
        )
        needed[e] = (min(lows), max(highs))
    return dict(sorted(needed.items(), key=lambda item: abs(item[0])))


def pool_taps(pool: Pool, given: Ranges) -> dict[int, list[tuple[int, int]]]:
    """For each offset e of a pool's input, the (d, a) that it adds to: slot a, offset d behind."""
    taps: dict[int, list[tuple[int, int]]] = {}
    for d in given:
        for a in range(pool.kernel_size):
            for b in range(pool.kernel_size):
                taps.setdefault(pool.stride * d + b - a, []).append((d, a))
    return taps
