"""Max pooling in the limit: no closed form, so the Gaussian features of each window are sampled.

In the limit the features of a window before the activation are Gaussian with the known covariance
P, and max pooling passes on E[max act(G_A) · max act(G_B)] for pairs of windows A, B (the same
window if only squared norms are needed): an expectation over at most 2 k² numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from preimage.network.limit.offsets import Stage
from preimage.network.operations import Pool

#: Windows that are sampled at once.
_CHUNK = 2048


@dataclass(frozen=True)
class Directions:
    """Standard Gaussian vectors of one length, √dimension, with their opposites.

    E[max act(G) max act(G')] is homogeneous of degree 2 in (G, G'), so its radial part is known
    and only directions need to be sampled. One set serves all windows, which keeps neighbouring
    pixels consistent.
    """

    num_samples: int
    seed: int

    def draw(self, dimension: int, like: Tensor) -> Float[Tensor, "dimension S"]:
        """`num_samples` directions in this dimension, the same on every call."""
        generator = torch.Generator().manual_seed(self.seed)
        half = torch.randn(
            dimension, self.num_samples // 2, generator=generator, dtype=torch.float64
        )
        half = F.normalize(half, dim=0) * dimension**0.5
        return torch.cat([half, -half], 1).to(like.device)


def pool_windows(
    rows: Iterator[tuple[int, Tensor]],
    stage: Stage,
    pool: Pool,
    slope: float,
    directions: Directions,
) -> Iterator[tuple[int, Tensor]]:
    """Rows of max-pooled features from rows of covariances *before* the activation."""
    maps = {
        (dy, dx): part
        for dy, row in rows
        for dx, part in zip(stage.needed.columns, row, strict=True)
    }
    for dy in stage.given.rows:
        yield (
            dy,
            torch.stack(
                [
                    _pooled(maps, stage, pool, slope, (dy, dx), directions)
                    for dx in stage.given.columns
                ]
            ),
        )


def _pooled(
    maps: dict[tuple[int, int], Tensor],
    stage: Stage,
    pool: Pool,
    slope: float,
    offset: tuple[int, int],
    directions: Directions,
) -> Float[Tensor, "N h w"]:
    """E[max act(G_A) max act(G_B)]·2/(1 + a²) for the windows A of each pixel and B offset away."""
    sites = list(product(range(pool.kernel_size), repeat=2))
    first = [(a, (0, 0)) for a in sites]
    second = [] if offset == (0, 0) else [(b, offset) for b in sites]
    positions = [
        tuple(
            pool.stride * (torch.arange(n) + shift) + t
            for n, t, shift in zip(stage.out_size, site, window, strict=True)
        )
        for site, window in first + second
    ]
    inside = torch.stack([_inside(p, stage.size).flatten() for p in positions], -1)  # (hw, V)
    covariance = _covariances(maps, positions)  # (N, hw, V, V)
    values, vectors = torch.linalg.eigh(covariance.double())
    root = vectors * values.clamp(min=0).sqrt()[..., None, :]
    z = directions.draw(len(positions), root)
    batch = root.shape[0]
    out = torch.cat(
        [
            _max_product(part, mask, z, len(first), slope)
            for part, mask in zip(
                torch.split(root.flatten(0, 1), _CHUNK),
                torch.split(inside.repeat(batch, 1), _CHUNK),
                strict=True,
            )
        ]
    )
    return (out * (2 / (1 + slope**2))).to(covariance.dtype).reshape(batch, *stage.out_size)


def _max_product(
    root: Float[Tensor, "M V R"],
    inside: Bool[Tensor, "M V"],
    z: Float[Tensor, "R S"],
    split: int,
    slope: float,
) -> Float[Tensor, " M"]:
    values = F.leaky_relu(root @ z, slope)
    values.masked_fill_(~inside.to(z.device)[..., None], -torch.inf)
    largest = values[:, :split].amax(1)
    other = largest if values.shape[1] == split else values[:, split:].amax(1)
    product_ = largest * other
    # A window entirely outside has no features.
    return torch.where(product_.isfinite(), product_, 0.0).mean(-1)


def _inside(position: tuple[Tensor, ...], size: tuple[int, int]) -> Bool[Tensor, "h w"]:
    rows, columns = (((p >= 0) & (p < n)) for p, n in zip(position, size, strict=True))
    return rows[:, None] & columns[None, :]


def _covariances(
    maps: dict[tuple[int, int], Tensor], positions: list[tuple[Tensor, ...]]
) -> Float[Tensor, "N hw V V"]:
    count = len(positions)
    entries: list[list[Tensor]] = [[torch.empty(0)] * count for _ in range(count)]
    for i, j in product(range(count), repeat=2):
        rows, columns = (int(b[0] - a[0]) for a, b in zip(positions[i], positions[j], strict=True))
        if (rows, columns) >= (0, 0):
            # No map where the image is smaller than the window: one of the two is always outside.
            values = maps.get((rows, columns), torch.zeros_like(maps[0, 0]))
            entries[i][j] = entries[j][i] = _read(values, positions[i], positions[j])
    return torch.stack([torch.stack(line, -1) for line in entries], -2)


def _read(
    values: Float[Tensor, "N H W"], position: tuple[Tensor, ...], other: tuple[Tensor, ...]
) -> Float[Tensor, "N hw"]:
    """The map's values at these positions; 0 where they or their partners lie outside."""
    size = (values.shape[-2], values.shape[-1])
    mask = (_inside(position, size) & _inside(other, size)).to(values.device)
    rows, columns = (p.clamp(0, n - 1) for p, n in zip(position, size, strict=True))
    return (values[:, rows][:, :, columns] * mask).flatten(1)
