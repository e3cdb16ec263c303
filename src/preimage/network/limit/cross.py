"""The kernel between positions of different photos: the limit's recursion on pairs.

    K(p, q) = lim 1/N Σ_c f_c(p) f_c(q)      of a layer's N features, as all widths grow

The covariances C[p, q] of two photos follow the same rules as those of one (docs/retention.md):

    convolution:   P(p, q) = mean over slots s of C[p + s, q + s],   padded pixels being zero
                   C'(p, q) = h(P / (z_p z_q)) z_p z_q,   z_p² = P(p, p) of each photo with itself
    average pool:  C'(p, q) = mean over both windows of C

so the norms z of each photo come first, from its own recursion, and every pair of photos then takes
one pass. Pairs are computed tile by tile (`tiles`), for one tile against many at once: the many are
the last axis, so that all sums over windows are sums of contiguous memory.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from preimage.network import layers
from preimage.network.description import Description
from preimage.network.limit.pairs import PairRecursion, Step, pair_recursion
from preimage.network.limit.tiles import Axis, Ranges, Tiles, pool_taps
from preimage.network.operations import Conv, Pool

Offset = tuple[int, int]
Window = tuple[tuple[int, int], tuple[int, int]]  # rows and columns, from and to

#: Pairs of pixels (p, p + offset), p in a rectangle of the first tile: (rows, columns, tiles).
Blocks = Iterator[tuple[Offset, Float[Tensor, "h w T"]]]


@dataclass(frozen=True)
class TileMaps:
    """What the recursion needs of each tile alone.

    `image` (C, h, w, T): the pixels that the tiles see, zero outside the photo. `factors`, one per
    step (h, w, T): of a convolution the norms z of its features, zero outside its map; of an
    average pool the shares 1 / (pixels of the window).
    """

    image: Float[Tensor, "C h w T"]
    factors: tuple[Float[Tensor, "_h _w T"], ...]

    def __len__(self) -> int:
        return self.image.shape[-1]

    def __getitem__(self, chosen: slice) -> "TileMaps":
        factors = tuple(factor[..., chosen].contiguous() for factor in self.factors)
        return TileMaps(self.image[..., chosen].contiguous(), factors)


@torch.no_grad()
def cross_kernel(
    description: Description,
    photos: Float[Tensor, "N C H W"],
    tiles: Tiles,
    others: Float[Tensor, "M C h w"],
    other_tiles: Tiles,
    *,
    window: int = 1,
) -> Float[Tensor, "P Q"]:
    """K between the positions of some tiles of photos and those of tiles of others.

    The limit of the mean over channels of the product of two positions' features, for weights of
    `gaussian:fan-in`; any other law or factor multiplies it by a constant. Positions are in the
    order (tile, row, column). Exact for average pools, any kernels, strides and slopes; in the
    photos' precision.

    Args:
        others: of the same size as `photos`.
        window: side k of a window of features: then K is the mean over the k × k slots.

    Raises:
        ValueError: the description has no kernel, with the reason, or the sizes differ.
    """
    sizes = photos.shape[2:], others.shape[2:]
    if sizes[0] != sizes[1] or tiles.size != other_tiles.size:
        raise ValueError(
            f"`photos` and `others` must have one size, and so must their tiles; got {sizes[0]} "
            f"and {sizes[1]} pixels, {tiles.size} and {other_tiles.size} positions."
        )
    recursion = pair_recursion(description, (sizes[0][0], sizes[0][1]), tiles.size, window)
    some = tile_maps(recursion, photos, tiles)
    many = tile_maps(recursion, others, other_tiles)
    rows = [tile_kernel(recursion, some[i : i + 1], many) for i in range(len(tiles))]
    return torch.stack(rows).reshape(tiles.positions, other_tiles.positions)


@torch.no_grad()
def tile_maps(recursion: PairRecursion, photos: Float[Tensor, "N C H W"], tiles: Tiles) -> TileMaps:
    """The pixels of each tile and the norms of its features, from its recursion with itself."""
    steps, maps = recursion.alone, photos
    for op, size in recursion.before:
        maps = layers.apply(maps, op, size)
    image = cut_tiles(steps[0], maps, tiles)
    factors = [pixel_shares(step, tiles).to(maps) for step in steps]
    alone = TileMaps(image, tuple(factors))
    for _ in _run(steps, alone, alone, first_pass=True):
        pass
    return alone


@torch.no_grad()
def tile_kernel(
    recursion: PairRecursion, first: TileMaps, others: TileMaps
) -> Float[Tensor, "h w T h w"]:
    """K between the positions of one tile and those of each of the others."""
    steps = recursion.between
    last = steps[-1]
    tile = last.rows.out_length, last.columns.out_length
    out = others.image.new_empty(*tile, *tile, len(others))
    for (dy, dx), block in _run(steps, first, others):
        ys, xs = torch.arange(*last.rows.given[dy]), torch.arange(*last.columns.given[dx])
        out[ys[:, None], xs, ys[:, None] + dy, xs + dx] = block
    return out.permute(0, 1, 4, 2, 3)


def _run(steps: tuple[Step, ...], a: TileMaps, b: TileMaps, first_pass: bool = False) -> Blocks:
    """The last step's pairs. In the first pass a is b, with masks in place of its norms yet."""
    blocks = _image_blocks(steps[0], a.image, b.image)
    for step, fa, fb in zip(steps, a.factors, b.factors, strict=True):
        match step.op:
            case Pool() as pool:
                blocks = _pool(blocks, step, pool, fa, fb)
            case conv:
                blocks = _convolve(blocks, step, conv, fa, fb, first_pass)
    return blocks


def _image_blocks(step: Step, a: Tensor, b: Tensor) -> Blocks:
    """Inner products of pixels, divided by the number of channels."""
    for (dy, dx), window in _offsets(step.rows.needed, step.columns.needed):
        here, there = _at(a, window), _at(b, window, (dy, dx))
        if len(a) > _FEW_CHANNELS:
            yield (dy, dx), torch.einsum("chwa,chwb->hwb", here, there).div_(len(a))
            continue
        out = here[0] * there[0]
        for left, right in zip(here[1:], there[1:], strict=True):
            out.addcmul_(left, right)
        yield (dy, dx), out.div_(len(a)) if len(a) > 1 else out


_FEW_CHANNELS = 8


def _convolve(
    blocks: Blocks, step: Step, conv: Conv, za: Tensor, zb: Tensor, first_pass: bool
) -> Blocks:
    over: tuple[Tensor, Tensor] | None = None
    for (ey, ex), block in blocks:
        dy, dx = ey // conv.stride, ex // conv.stride
        window = step.rows.given[dy], step.columns.given[dx]
        p = _window_means(block, conv, *(high - low for low, high in window))
        if over is None:
            if first_pass:
                za.mul_(p.clamp(min=0).sqrt())  # the mask becomes the norms
            over = _inverse(za), _inverse(zb)
        if first_pass and (dy, dx) == (0, 0):
            yield (0, 0), za.square()  # exact: h would cost half the digits of 1 − c
            continue
        here, there = _at(over[0], window), _at(over[1], window, (dy, dx))
        p = _correlated(p.mul_(here).mul_(there), conv.slope)
        yield (dy, dx), p.mul_(_at(za, window)).mul_(_at(zb, window, (dy, dx)))


def _correlated(c: Float[Tensor, "h w T"], slope: float) -> Float[Tensor, "h w T"]:
    """h(c) = c + (1 − a)²/(1 + a²) (√(1 − c²) − c arccos c)/π, a the slope. Overwrites c.

    The h of `relu_correlation`, its two terms gathered.
    """
    c.clamp_(-1, 1)
    if slope == 1:
        return c
    angle = c.acos().mul_(c)
    sine = torch.addcmul(c.new_ones(()), c, c, value=-1).sqrt_()
    return c.add_(sine.sub_(angle), alpha=(1 - slope) ** 2 / (1 + slope**2) / math.pi)


def _window_means(
    block: Float[Tensor, "_H _W T"], conv: Conv, rows: int, columns: int
) -> Float[Tensor, "_h _w T"]:
    k, stride = conv.kernel_size, conv.stride
    span = [slice(t, t + stride * (rows - 1) + 1, stride) for t in range(k)]
    across = [slice(t, t + stride * (columns - 1) + 1, stride) for t in range(k)]
    partial = block[span[0]] + block[span[1]] if k > 1 else block[span[0]]
    for part in span[2:]:
        partial.add_(block[part])
    out = partial[:, across[0]] / k**2
    for part in across[1:]:
        out.add_(partial[:, part], alpha=1 / k**2)
    return out


def _pool(blocks: Blocks, step: Step, pool: Pool, wa: Tensor, wb: Tensor) -> Blocks:
    """Sums over both windows, times the shares of each."""
    rows, columns = step.rows.given, step.columns.given
    row_taps, column_taps = pool_taps(pool, rows), pool_taps(pool, columns)
    sums: dict[Offset, Tensor] = {}
    for (ey, ex), block in blocks:
        low = step.rows.needed[ey][0], step.columns.needed[ex][0]
        for dy, ay in row_taps[ey]:
            down = _strided(rows[dy], pool.stride, ay - low[0])
            for dx, ax in column_taps[ex]:
                part = block[down, _strided(columns[dx], pool.stride, ax - low[1])]
                if (dy, dx) in sums:
                    sums[dy, dx].add_(part)
                else:
                    sums[dy, dx] = part.clone(memory_format=torch.contiguous_format)
    for (dy, dx), window in _offsets(rows, columns):
        out = sums.pop((dy, dx))
        yield (dy, dx), out.mul_(_at(wa, window)).mul_(_at(wb, window, (dy, dx)))


def _offsets(rows: Ranges, columns: Ranges) -> Iterator[tuple[Offset, Window]]:
    for dy, down in rows.items():
        for dx, across in columns.items():
            yield (dy, dx), (down, across)


def _at(x: Tensor, window: Window, offset: Offset = (0, 0)) -> Tensor:
    (top, bottom), (left, right) = window
    dy, dx = offset
    return x[..., top + dy : bottom + dy, left + dx : right + dx, :]


def _strided(window: tuple[int, int], stride: int, start: int) -> slice:
    low, high = window
    return slice(stride * low + start, stride * (high - 1) + start + 1, stride)


def _inverse(z: Tensor) -> Tensor:
    """1/z, and 0 where z is 0: outside the map, and for dark patches."""
    return torch.where(z > 0, 1 / z, 0.0)


def cut_tiles(step: Step, maps: Float[Tensor, "N C H W"], tiles: Tiles) -> Float[Tensor, "C h w T"]:
    """The pixels that the tiles see, zero outside the photo."""
    rows, columns = (
        step.rows.sources(tiles.corners[:, 0]),
        step.columns.sources(tiles.corners[:, 1]),
    )
    inside = [(at >= 0) & (at < n) for at, n in zip((rows, columns), maps.shape[2:], strict=True)]
    rows, columns = (
        at.clamp(0, n - 1) for at, n in zip((rows, columns), maps.shape[2:], strict=True)
    )
    found = maps[tiles.photos, :, rows[:, None], columns[None]]  # (h, w, T, C)
    found = found * (inside[0][:, None] & inside[1][None])[..., None]
    return found.permute(3, 0, 1, 2).contiguous()


def pixel_shares(step: Step, tiles: Tiles) -> Float[Tensor, "h w T"]:
    """1 inside the output's map; for a pool 1 / (pixels of the window)."""
    down, across = (
        _axis_shares(step.op, axis, tiles.corners[:, i])
        for i, axis in enumerate((step.rows, step.columns))
    )
    return down[:, None] * across[None]


def _axis_shares(op: Conv | Pool, axis: Axis, corners: Int64[Tensor, " T"]) -> Tensor:
    mask = axis.mask(corners).double()
    if isinstance(op, Conv):
        return mask
    first = op.stride * axis.places(corners)
    return mask / ((first + op.kernel_size).clamp(max=axis.inside) - first).clamp(min=1)
