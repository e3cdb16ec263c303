"""The covariance maps D_d(p) = C[p, p + d] of the features, passed from operation to operation.

They pass as a stream of rows, each with all dx of one dy = 0, 1, 2, … (C is symmetric, so dy ≥ 0
suffices). Each operation turns a stream into a stream, and only a few rows of each are held at a
time. A convolution needs the squared norms u = P_0 of the patches it reads, which come in its first
row. Derived in docs/theory.md, section 2.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.network import layers
from preimage.network.limit.axis_matrices import (
    Tap,
    apply_taps,
    axis_matrix,
    covariance_taps,
    shifted,
    window_taps,
)
from preimage.network.limit.offsets import Offsets, Stage
from preimage.network.operations import Conv, Pool
from preimage.network.trace import Size

#: dy, and the maps of every dx: (number of dx, N, H, W). Zero where p + d lies outside.
Rows = Iterator[tuple[int, Tensor]]

#: Elements that a convolution works on at once: a few such tensors fit in a core's cache.
CHUNK = 1 << 17


def image_rows(x: Float[Tensor, "N C H W"], needed: Offsets) -> Rows:
    """Inner products of the pixels of the image, summed over channels."""
    for dy in needed.rows:
        yield dy, torch.stack([(x * shifted(x, dy, dx)).sum(1) for dx in needed.columns])


def convolve(rows: Rows, stage: Stage, conv: Conv, gaussian: bool) -> Iterator[tuple[int, Tensor]]:
    """Rows of a convolution's features, scaled so that k_2 k² = 1.

        P_d = window mean of D_(stride·d),  u = P_0,  D'_d = h(P_d/√(u u_d)) √(u u_d)

    With `gaussian`, rows of P_d: the covariances of the features before their activation. The first
    row yielded is (−1, u).
    """
    columns = stage.given.columns
    z = torch.empty(0)
    for index, (_, row) in enumerate(rows):
        dy = stage.given.rows[index]
        if index == 0:
            u = window_means(row[columns.index(0)], conv, stage.out_size)
            yield -1, u
            z = u.sqrt()
        out = row.new_empty(len(columns), *z.shape)
        step = max(CHUNK // max(z.numel(), 1), 1)
        for start in range(0, len(columns), step):
            block = slice(start, start + step)
            p = window_means(row[block], conv, stage.out_size)
            out[block] = p if gaussian else rectified(p, z, dy, columns[block], conv.slope)
        yield dy, out


def window_means(
    row: Float[Tensor, "*batch H W"], conv: Conv, out_size: Size
) -> Float[Tensor, "*batch h w"]:
    """Means over a convolution's windows, padded zeros included."""
    down, across = (window_taps(conv, n, m) for n, m in zip(row.shape[-2:], out_size, strict=True))
    partial = row.new_zeros(*row.shape[:-1], out_size[1])
    apply_taps(partial, row, across, -1)
    out = row.new_zeros(*row.shape[:-2], *out_size)
    apply_taps(out, partial, down, -2)
    return out.div_(conv.kernel_size**2)


def rectified(
    p: Float[Tensor, "D N H W"],
    z: Float[Tensor, "N H W"],
    dy: int,
    columns: tuple[int, ...],
    slope: float,
) -> Float[Tensor, "D N H W"]:
    """z z_d h(p/(z z_d)) for one dy and some dx: covariances after the activation. Overwrites p.

    h(c) = (√(1 − c²) + c (π − arccos c))/π; with slope a, h(c) − 2a/(1 + a²) (h(c) − c).
    """
    if dy == 0 and columns == (0,):
        return z.square()[None]
    reach = max(map(abs, columns))
    height, width = z.shape[-2:]
    around = F.pad(z, (reach, reach, 0, dy))[..., dy : dy + height, :]
    zz = torch.stack([around[..., reach + dx : reach + dx + width] for dx in columns]).mul_(z)
    # Dark patches, and neighbours outside: zz = 0, and whatever c is, the product is 0.
    c = p.div_(zz.clamp(min=torch.finfo(zz.dtype).tiny)).clamp_(-1, 1)
    h = c.acos().neg_().add_(math.pi).mul_(c)
    h.add_((c * c).neg_().add_(1).sqrt_()).mul_(1 / math.pi)
    if slope:
        h.sub_((h - c).mul_(2 * slope / (1 + slope**2)))
    h.mul_(zz)
    if dy == 0 and 0 in columns:  # exact: rounding would cost half the digits of 1 − c
        h[columns.index(0)] = z.square()
    return h


def sum_squares(rows: Rows, pool: Pool) -> Rows:
    """l2 pooling of the squared norms."""
    for dy, row in rows:
        yield dy, layers.pool(row.sqrt(), pool).square()


def mix(rows: Rows, stage: Stage) -> Rows:
    """Rows after average pooling, unpooling or a crop: D'_d = Σ_e B[q, r] B[q + d, r + e] D_e(r).

    Columns first, one row at a time; a row waits until the rows that it is mixed with have arrived.
    """
    down, across = (
        axis_matrix(stage.op, n, m) for n, m in zip(stage.size, stage.out_size, strict=True)
    )
    down_taps = [covariance_taps(down, d) for d in stage.given.rows]
    across_taps = [covariance_taps(across, d) for d in stage.given.columns]
    held: dict[int, Tensor] = {}
    for index, taps in enumerate(down_taps):
        reach = max((abs(e) for e in taps), default=0)
        while not held or max(held) < reach:
            dy, row = next(rows)
            held[dy] = _mix_columns(row, across_taps, stage)
        some = next(iter(held.values()))
        out = some.new_zeros(*some.shape[:-2], *stage.out_size)
        for e, part in taps.items():
            source = held[e] if e >= 0 else _transposed(held[-e], -e, stage.given.columns)
            apply_taps(out, source, part, -2)
        yield stage.given.rows[index], out
        later = [abs(e) for following in down_taps[index + 1 :] for e in following]
        for dy in [dy for dy in held if dy < min(later, default=0)]:
            del held[dy]


def _mix_columns(row: Tensor, across_taps: list[dict[int, list[Tap]]], stage: Stage) -> Tensor:
    out = row.new_zeros(len(across_taps), *row.shape[1:-1], stage.out_size[1])
    for target, taps in zip(out, across_taps, strict=True):
        for e, part in taps.items():
            apply_taps(target, row[stage.needed.columns.index(e)], part, -1)
    return out


def _transposed(row: Tensor, dy: int, columns: tuple[int, ...]) -> Tensor:
    """The row −dy from the row dy: D_(−dy, dx)(y, x) = D_(dy, −dx)(y − dy, x + dx)."""
    return torch.stack([shifted(row[columns.index(-dx)], -dy, dx) for dx in columns])
