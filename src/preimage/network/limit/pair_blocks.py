"""Blocks of pairs: what convolutions and average pools do to the pairs of pixels of one offset.

A block holds C[p, p + offset] for p in a rectangle of the first tile, for many second tiles at
once: (rows, columns, tiles).
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.network.limit.pairs import Step
from preimage.network.limit.tiles import Ranges, pool_taps, window_range
from preimage.network.operations import Conv, Pool

Offset = tuple[int, int]
Window = tuple[tuple[int, int], tuple[int, int]]  # rows and columns, from and to

Blocks = Iterator[tuple[Offset, Float[Tensor, "h w T"]]]


def with_zeros(
    block: Tensor, step: Step, conv: Conv, offset: Offset, window: Window
) -> Float[Tensor, "_H _W T"]:
    """The block with the pairs that its windows read and that are zero: outside the photo."""
    pads = [0, 0]
    for axis, given, e in (
        (step.columns, window[1], offset[1]),
        (step.rows, window[0], offset[0]),
    ):
        (first, end), (low, high) = window_range(conv, given), axis.needed[e]
        pads += [low - first, end - high]
    return F.pad(block, pads) if any(pads) else block


def correlated(c: Float[Tensor, "h w T"], slope: float) -> Float[Tensor, "h w T"]:
    """h(c) = c + (1 − a)²/(1 + a²) (√(1 − c²) − c arccos c)/π, a the slope. Overwrites c.

    The h of `relu_correlation`, its two terms gathered.
    """
    c.clamp_(-1, 1)
    if slope == 1:
        return c
    sine = torch.addcmul(c.new_ones(()), c, c, value=-1).sqrt_()
    rest = sine.addcmul_(c, c.acos(), value=-1)
    return c.add_(rest, alpha=(1 - slope) ** 2 / (1 + slope**2) / math.pi)


def window_means(
    block: Float[Tensor, "_H _W T"], conv: Conv, rows: int, columns: int
) -> Float[Tensor, "_h _w T"]:
    """Means over a convolution's windows, at so many rows and columns of its output."""
    k, stride = conv.kernel_size, conv.stride
    if not rows or not columns:
        return block.new_zeros(rows, columns, block.shape[-1])
    span = [slice(t, t + stride * (rows - 1) + 1, stride) for t in range(k)]
    across = [slice(t, t + stride * (columns - 1) + 1, stride) for t in range(k)]
    down = _mean([block[part] for part in span])
    return _mean([down[:, part] for part in across])


def _mean(parts: list[Tensor]) -> Tensor:
    """The mean, as a running mean: a pass over memory less than a sum that is divided."""
    if len(parts) == 1:
        return parts[0].clone()
    mean = torch.lerp(parts[0], parts[1], 1 / 2)
    for count, part in enumerate(parts[2:], start=3):
        mean.lerp_(part, 1 / count)
    return mean


def pool_windows(blocks: Blocks, step: Step, pool: Pool, wa: Tensor, wb: Tensor) -> Blocks:
    """Sums over both windows, times the shares of each."""
    rows, columns = step.rows.given, step.columns.given
    row_taps, column_taps = pool_taps(pool, rows), pool_taps(pool, columns)
    sums: dict[Offset, Tensor] = {}
    for (ey, ex), block in blocks:
        for dy, ay in row_taps[ey]:
            to_y, from_y = _pooled(pool, ay, rows[dy], step.rows.needed[ey])
            for dx, ax in column_taps[ex]:
                to_x, from_x = _pooled(pool, ax, columns[dx], step.columns.needed[ex])
                if (dy, dx) not in sums:
                    (top, bottom), (left, right) = rows[dy], columns[dx]
                    shape = bottom - top, right - left, block.shape[-1]
                    sums[dy, dx] = block.new_zeros(shape)
                sums[dy, dx][to_y, to_x] += block[from_y, from_x]
    for (dy, dx), window in offsets(rows, columns):
        out = sums.pop((dy, dx))
        yield (dy, dx), out.mul_(at(wa, window)).mul_(at(wb, window, (dy, dx)))


def offsets(rows: Ranges, columns: Ranges) -> Iterator[tuple[Offset, Window]]:
    """Offsets with the rectangles of their pairs, the zero offset first."""
    for dy, down in rows.items():
        for dx, across in columns.items():
            yield (dy, dx), (down, across)


def at(x: Tensor, window: Window, offset: Offset = (0, 0)) -> Tensor:
    """Of maps (…, rows, columns, tiles): a rectangle, moved by an offset."""
    (top, bottom), (left, right) = window
    dy, dx = offset
    return x[..., top + dy : bottom + dy, left + dx : right + dx, :]


def _pooled(
    pool: Pool, slot: int, given: tuple[int, int], needed: tuple[int, int]
) -> tuple[slice, slice]:
    """The windows whose slot is among the pairs that are there, and these pairs."""
    low = max(given[0], -(-(needed[0] - slot) // pool.stride))
    high = min(given[1], (needed[1] - 1 - slot) // pool.stride + 1)
    if low >= high:
        return slice(0, 0), slice(0, 0)
    start = pool.stride * low + slot - needed[0]
    return slice(low - given[0], high - given[0]), slice(
        start, start + pool.stride * (high - low - 1) + 1, pool.stride
    )


def inverse(z: Tensor) -> Tensor:
    """1/z, and 0 where z is 0: outside the map, and for dark patches."""
    return torch.where(z > 0, 1 / z, 0.0)
