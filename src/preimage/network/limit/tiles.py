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
    `length` pixels; `out_scale` and `out_start` say the same of its output. `inside` and
    `out_inside` are the sizes of the photo's maps. Pairs of pixels of which one lies outside the
    photo for all tiles are not among the `needed`: they are zero.
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
    operations: tuple[Conv | Pool, ...],
    side: int,
    lengths: list[int],
    reach: int,
    corners: tuple[int, int],
) -> list[Axis]:
    """Of each operation, for tiles of `side` positions and their pairs up to `reach` apart.

    `lengths` are the map's, before and after each operation; `corners` the least and the largest
    first position of a tile. The zero offset comes first everywhere: it carries the squared norms.
    """
    offsets = sorted(range(-reach, reach + 1), key=abs)
    given: Ranges = {d: (max(0, -d), min(side, side - d)) for d in offsets}
    scale, start, length = 1, 0, side
    axes = []
    for index in range(len(operations) - 1, -1, -1):
        op = operations[index]
        out_scale, out_start, out_length = scale, start, length
        before = op.padding[0] if isinstance(op, Conv) else 0
        scale, start = op.stride * scale, op.stride * start - before
        length = op.stride * (length - 1) + op.kernel_size
        sizes = (lengths[index], lengths[index + 1])
        low, high = (scale * corner + start for corner in corners)
        needed = _inside(needed_ranges(op, given), -high, lengths[index] - low)
        axes.append(
            Axis(given, needed, scale, start, length, out_scale, out_start, out_length, *sizes)
        )
        given = needed
    return axes[::-1]


def _inside(ranges: Ranges, low: int, high: int) -> Ranges:
    """Without pairs of which one lies before `low` or from `high` on; empty ranges stay."""
    clipped = {}
    for d, (first, end) in ranges.items():
        start, stop = max(first, low, low - d), min(end, high, high - d)
        clipped[d] = (start, stop) if start < stop else (first, first)
    return clipped


def needed_ranges(op: Conv | Pool, given: Ranges) -> Ranges:
    """The pairs of pixels that these pairs of an operation's output are computed from.

    Equal slots of two windows of a convolution are as far apart as the windows. A pool mixes all
    slots with all.
    """
    if isinstance(op, Conv):
        return {op.stride * d: window_range(op, ends) for d, ends in given.items()}
    needed: Ranges = {}
    for e, taps in pool_taps(op, given).items():
        ends = [(given[d], a) for d, a in taps if given[d][0] < given[d][1]]
        lows = [op.stride * low + a for (low, _), a in ends]
        highs = [op.stride * (high - 1) + a + 1 for (_, high), a in ends]
        needed[e] = (min(lows, default=0), max(highs, default=0))
    return dict(sorted(needed.items(), key=lambda item: abs(item[0])))


def window_range(conv: Conv, given: tuple[int, int]) -> tuple[int, int]:
    """What the windows of a range of positions read, all slots together."""
    low, high = given
    if low == high:
        return (conv.stride * low, conv.stride * low)
    return conv.stride * low, conv.stride * (high - 1) + conv.kernel_size


def pool_taps(pool: Pool, given: Ranges) -> dict[int, list[tuple[int, int]]]:
    """For each offset e of a pool's input, the (d, a) that it adds to: slot a, offset d behind."""
    taps: dict[int, list[tuple[int, int]]] = {}
    for d in given:
        for a in range(pool.kernel_size):
            for b in range(pool.kernel_size):
                taps.setdefault(pool.stride * d + b - a, []).append((d, a))
    return taps
