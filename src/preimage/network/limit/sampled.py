"""The limit of networks with max pools: sampled, with its standard error, or bracketed."""

from dataclasses import replace
from math import prod
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network.description import Description
from preimage.network.laws import Law
from preimage.network.limit.exact import limit, recursion_for, run_recursion
from preimage.network.limit.max_pooling import Directions
from preimage.network.operations import Pool, PoolKind
from preimage.notebook.brief import brief_fields
from preimage.notebook.html import render
from preimage.notebook.pictures import as_image
from preimage.notebook.tile import Tile


class Sampled(NamedTuple):
    """An image estimated by sampling, and the standard error of each of its pixels."""

    image: Float[Tensor, "N 1 h w"]
    stderr: Float[Tensor, "N 1 h w"]

    def __repr__(self) -> str:
        return brief_fields(self)

    def _repr_html_(self) -> str:
        return _html(self)


def sampled_limit(
    description: Description,
    image: Float[Tensor, "N C H W"],
    law: Law | str = "gaussian:fan-in",
    *,
    num_samples: int = 2048,
    num_repeats: int = 8,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> Sampled:
    """f* of a description with max pools, estimated, with its standard error.

        C'_jk = E[max act(G over D_j) · max act(G over D_k)],  G ~ N(0, σ² P)

    For each pair of windows that is needed, the expectation is a mean over `num_samples` draws of
    the window's Gaussian features; everything else is exact. The whole recursion is repeated
    `num_repeats` times with new draws, which gives the mean and its standard error. Since the
    recursion is nonlinear, a bias of order 1/num_samples remains. Derived in docs/theory.md.

    Raises:
        ValueError: there is no limit, as for `limit`; a max pool does not follow a convolution; or
            fewer than 2 repeats or samples.
    """
    for name, value in (("num_samples", num_samples), ("num_repeats", num_repeats)):
        if value < 2:
            raise ValueError(f"`{name}` must be at least 2, got {value}.")
    recursion = recursion_for(description, image)
    draws = torch.stack(
        [
            run_recursion(
                recursion, image, law, dtype, Directions(num_samples, seed * 2**20 + repeat)
            )
            for repeat in range(num_repeats)
        ]
    )
    return Sampled(draws.mean(0), draws.std(0) / num_repeats**0.5)


class Bracket(NamedTuple):
    """Two images that bracket the limit at every pixel."""

    lower: Float[Tensor, "N 1 h w"]
    upper: Float[Tensor, "N 1 h w"]

    def __repr__(self) -> str:
        return brief_fields(self)

    def _repr_html_(self) -> str:
        return _html(self)


def limit_bracket(
    description: Description,
    image: Float[Tensor, "N C H W"],
    law: Law | str = "gaussian:fan-in",
) -> Bracket:
    """A bracket for f* of a network with max pools: exact, without sampling.

        Π 1/p · f*_l2 ≤ f*_max ≤ f*_l2,   and with a single pool  f*_avg ≤ f*_max

    for p × p pools, ReLU, and nonnegative features. Derived in docs/theory.md, section 2.

    Raises:
        ValueError: a hidden convolution has an activation other than ReLU (the maximum of numbers
            of both signs may have a smaller square than their mean); the last one has a slope above
            1 (then f* is negative); or `limit` refuses the same network with l2 pools.
    """
    first = description.operations.index(description.convs[0]) if description.convs else 0
    # Pools before the first convolution act on the image itself, whatever their kind.
    pools = [op for op in description.operations[first:] if isinstance(op, Pool)]
    largest = [pool for pool in pools if pool.kind == "max"]
    slopes = [conv.slope for conv in description.convs]
    if any(slope != 0 for slope in slopes[:-1]):
        raise ValueError(
            f"{description.name}: the bracket holds for ReLU (slope 0) in every hidden "
            f"convolution, got the slopes {sorted(set(slopes))}; use `sampled_limit`."
        )
    if slopes and slopes[-1] > 1:
        raise ValueError(
            f"{description.name}: the bracket holds for a limit that is not negative, and so for "
            f"slopes to 1 in the last convolution, got {slopes[-1]}."
        )
    upper = limit(_with_max_as(description, largest, "l2"), image, law)
    lower = upper / prod(pool.kernel_size for pool in largest)
    if len(pools) == 1 and largest:
        lower = torch.maximum(lower, limit(_with_max_as(description, largest, "avg"), image, law))
    return Bracket(lower, upper)


def _with_max_as(description: Description, pools: list[Pool], kind: PoolKind) -> Description:
    operations = tuple(
        replace(op, kind=kind) if op in pools and isinstance(op, Pool) else op
        for op in description.operations
    )
    return replace(description, operations=operations)


def _html(images: Sampled | Bracket) -> str:
    """The images of each photo side by side, in one range of brightness."""
    tiles = []
    for parts in zip(*images, strict=True):
        high = max(float(part.max()) for part in parts)
        names = zip(images._fields, parts, strict=True)
        tiles += [Tile(as_image(part, 0.0, high), name) for name, part in names]
    return render(repr(images), tiles, ())
