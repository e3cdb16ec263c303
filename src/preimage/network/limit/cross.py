"""The kernel between positions of different photos: the limit's recursion on pairs.

    K(p, q) = lim 1/N Σ_c f_c(p) f_c(q)      of a layer's N features, as all widths grow

The covariances C[p, q] of two photos follow the same rules as those of one (docs/retention.md)::

    convolution:   P(p, q) = mean over slots s of C[p + s, q + s],   padded pixels being zero
                   C'(p, q) = h(P / (z_p z_q)) z_p z_q,   z_p² = P(p, p) of each photo with itself
    average pool:  C'(p, q) = mean over both windows of C

so the norms z of each photo come first, from its own recursion, and every pair of photos then takes
one pass. Pairs are computed tile by tile (`tiles`), for one tile against many at once: the many are
the last axis, so that all sums over windows are sums of contiguous memory.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from preimage.network import layers
from preimage.network.description import Description
from preimage.network.limit.pair_blocks import (
    Blocks,
    at,
    correlated,
    inverse,
    offsets,
    pool_windows,
    window_means,
    with_zeros,
)
from preimage.network.limit.pairs import Corners, PairRecursion, Step, pair_recursion
from preimage.network.limit.tiles import Axis, Tiles
from preimage.network.operations import Conv, Pool

#: Of photos, and of maps with so few channels: products are taken one channel after the other.
FEW_CHANNELS = 8


@dataclass(frozen=True)
class TileMaps:
    """What the recursion needs of each tile alone.

    `image` (C, h, w, T): the pixels that the tiles see, zero outside the photo. `factors`, one per
    step (h, w, T): of a convolution the norms z of its features, zero outside its map; of an
    average pool the shares 1 / (pixels of the window). `own` (h, w, T): K(p, p) of each position.
    """

    image: Float[Tensor, "C h w T"]
    factors: tuple[Float[Tensor, "_h _w T"], ...]
    own: Float[Tensor, "_ _ T"]

    def __len__(self) -> int:
        return self.image.shape[-1]

    def __getitem__(self, chosen: slice | Int64[Tensor, " n"]) -> "TileMaps":
        factors = tuple(factor[..., chosen].contiguous() for factor in self.factors)
        image, own = (x[..., chosen].contiguous() for x in (self.image, self.own))
        return TileMaps(image, factors, own)


def corner_range(*tiles: Tiles) -> Corners:
    """Where tiles begin, from and to, by rows and by columns."""
    all_ = torch.cat([each.corners for each in tiles])
    (top, left), (bottom, right) = all_.amin(0).tolist(), all_.amax(0).tolist()
    return (top, bottom), (left, right)


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
    corners = corner_range(tiles, other_tiles)
    size = sizes[0][0], sizes[0][1]
    recursion = pair_recursion(description, size, tiles.size, window, corners)
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
    ends = steps[-1].rows.out_length, steps[-1].columns.out_length, len(tiles)
    alone = TileMaps(image, tuple(factors), image.new_empty(ends))
    for _, block in _run(steps, alone, alone, first_pass=True):
        alone.own.copy_(block)  # of no offset: there is no other in the end
    return alone


@torch.no_grad()
def tile_kernel(
    recursion: PairRecursion, first: TileMaps, others: TileMaps
) -> Float[Tensor, "h w T h w"]:
    """K between the positions of one tile and those of each of the others.

    Or between those of each tile and of its partner in `others`, of few channels.
    """
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
                blocks = pool_windows(blocks, step, pool, fa, fb)
            case conv:
                blocks = _convolve(blocks, step, conv, fa, fb, first_pass)
    return blocks


def _image_blocks(step: Step, a: Tensor, b: Tensor) -> Blocks:
    """Inner products of pixels, divided by the number of channels."""
    for (dy, dx), window in offsets(step.rows.needed, step.columns.needed):
        here, there = at(a, window), at(b, window, (dy, dx))
        if len(a) > FEW_CHANNELS:
            yield (dy, dx), torch.einsum("chwa,chwb->hwb", here, there).div_(len(a))
            continue
        out = here[0] * there[0]
        for left, right in zip(here[1:], there[1:], strict=True):
            out.addcmul_(left, right)
        yield (dy, dx), out.div_(len(a)) if len(a) > 1 else out


def _convolve(
    blocks: Blocks, step: Step, conv: Conv, za: Tensor, zb: Tensor, first_pass: bool
) -> Blocks:
    over: tuple[Tensor, Tensor] | None = None
    for (ey, ex), block in blocks:
        dy, dx = ey // conv.stride, ex // conv.stride
        window = step.rows.given[dy], step.columns.given[dx]
        block = with_zeros(block, step, conv, (ey, ex), window)
        p = window_means(block, conv, *(high - low for low, high in window))
        if over is None:
            if first_pass:
                at(za, window).mul_(p.clamp(min=0).sqrt())  # the mask becomes the norms
            over = inverse(za), inverse(zb)
        if first_pass and (dy, dx) == (0, 0):
            yield (0, 0), at(za, window).square()  # exact: h would cost half the digits of 1 − c
            continue
        here, there = at(over[0], window), at(over[1], window, (dy, dx))
        p = correlated(p.mul_(here).mul_(there), conv.slope)
        yield (dy, dx), p.mul_(at(za, window)).mul_(at(zb, window, (dy, dx)))


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
