"""The Nyström approximation: all positions are paired with some of them, the landmarks, alone.

For Conv4 and Conv5 a kernel of all pairs takes hours. With m landmarks every position's features
are projected onto the span of the landmarks', which needs n · m entries in place of n · n::

    K ≈ Q = K_nm K_mm⁺ K_mn,      exact for pairs with a landmark, below K otherwise

The regression with Q is least squares on m numbers per position, the best that can be written with
the landmarks' features. What is lost is known: of each held-out position K(x, x) is, and so is the
share of it outside the span. Source: Williams & Seeger (2001).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network.laws import stream
from preimage.network.limit.tiles import Tiles
from preimage.retention.kernel_ridge import Problem, fit

#: Eigenvalues of K_mm below this share of their sum are rounding (RESULTS-retention: 4e-8, single).
NOISE = {torch.float32: 1e-7, torch.float64: 1e-14}


@dataclass(frozen=True)
class Landmarks:
    """How good an approximation by landmarks is.

    Args:
        count: of positions that are landmarks.
        outside: share of the variance of the held-out positions' features that lies outside the
            landmarks' span; 0 is exact.
        fewer: with the first half of the landmarks: their number, and the mean squared error.
    """

    count: int
    outside: float
    fewer: tuple[int, float]


def shuffled(tiles: Tiles, seed: int) -> Tiles:
    """Tiles in random order: the first so many are the landmarks, so that fewer are among more."""
    return tiles[torch.randperm(len(tiles), generator=stream(seed, 0, "landmarks"))]


def span_features(
    gram: Float[Tensor, "P L"], cross: Float[Tensor, "M L"], noise: float
) -> tuple[Float[Tensor, "P r"], Float[Tensor, "M r"]]:
    """Features of rank r ≤ L whose inner products are Q, float64; the first L rows are landmarks.

    Args:
        noise: share of the landmarks' trace below which an eigenvalue is taken for rounding.
    """
    count = gram.shape[1]
    values, vectors = torch.linalg.eigh(gram[:count].double())
    kept = values > noise * values.sum()
    root = vectors[:, kept] / values[kept].sqrt()
    return gram.double() @ root, cross.double() @ root


def spanned(
    gram: Float[Tensor, "P L"], cross: Float[Tensor, "M L"], noise: float
) -> tuple[Float[Tensor, "P P"], Float[Tensor, "M P"]]:
    """Q of the training positions, and of the held-out with these, from K with the landmarks."""
    features, held_out = span_features(gram, cross, noise)
    return features @ features.T, held_out @ features.T


def landmark_report(
    problem: Problem, count: int, fewer: int, noise: float, ridges: Sequence[float]
) -> Landmarks:
    """What landmarks cost, from the regression with Q alone: its columns of landmarks are K's.

    Args:
        count: of positions that are landmarks, the first of `problem`.
        fewer: of them that the comparison is made with.
    """
    held_out = span_features(problem.gram[:, :count], problem.cross[:, :count], noise)[1]
    missing = (problem.diagonal - held_out.square().sum(1)).clamp(min=0).sum()
    gram, cross = spanned(problem.gram[:, :fewer], problem.cross[:, :fewer], noise)
    return Landmarks(
        count,
        float(missing / problem.centred().diagonal.sum()),
        (fewer, fit(replace(problem, gram=gram, cross=cross), ridges).mse),
    )
