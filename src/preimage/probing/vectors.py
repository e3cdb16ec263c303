"""The linear rung for vectors: ridge regression to the picture's lowest frequencies.

A vector stands for the whole picture. Its target are the lowest q×q frequencies of each channel's
orthonormal cosine transform; what lies above is never predicted, and its energy stays in the error
exactly, since the transform keeps squared distances.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi

import torch
from jaxtyping import Float
from torch import Tensor

Pixels = Float[Tensor, "N 3 H W"]
Vectors = Float[Tensor, "N D"]
FREQUENCIES = 32
_RIDGES = tuple(10.0**power for power in range(-7, 4))


@lru_cache(maxsize=8)
def cosines(length: int, count: int) -> Float[Tensor, "count length"]:
    """The first rows of the orthonormal cosine transform (type II), float64."""
    positions = torch.arange(length, dtype=torch.float64) + 0.5
    waves = torch.arange(count, dtype=torch.float64)[:, None]
    rows: Tensor = torch.cos(pi / length * waves * positions) * (2 / length) ** 0.5
    rows[0] /= 2**0.5
    return rows


def spectrum(pixels: Pixels, count: int = FREQUENCIES) -> Float[Tensor, "N K"]:
    """The lowest count×count frequencies of each channel, float64."""
    rows, columns = (cosines(length, min(count, length)) for length in pixels.shape[2:])
    grid: Tensor = rows @ pixels.double() @ columns.T
    return grid.flatten(1)


def picture(
    coefficients: Float[Tensor, "N K"], size: tuple[int, int], count: int = FREQUENCIES
) -> Pixels:
    """The picture of these frequencies, nothing above them."""
    rows, columns = (cosines(length, min(count, length)) for length in size)
    grid = coefficients.view(-1, 3, len(rows), len(columns))
    pixels: Tensor = rows.T @ grid @ columns
    return pixels.float()


@dataclass(frozen=True)
class VectorDecoder:
    """Frequencies from vectors: f ↦ mean + (f − centre) W."""

    weight: Float[Tensor, "D K"]
    centre: Float[Tensor, " D"]
    mean: Float[Tensor, " K"]
    ridge: float
    span: Float[Tensor, "r K"]

    def __call__(self, vectors: Vectors, size: tuple[int, int]) -> Pixels:
        """Photos of this (height, width), not clipped."""
        coefficients = self.mean + (vectors.double() - self.centre) @ self.weight
        return picture(coefficients, size)

    def oracle(self, pixels: Pixels) -> Pixels:
        """The best picture in the span of the training photos: no ridge on fewer photos than
        features can do better, whatever the features are.
        """
        centred = spectrum(pixels) - self.mean
        within = centred @ self.span.T @ self.span
        return picture(self.mean + within, (pixels.shape[2], pixels.shape[3]))


def fit_vectors(
    vectors: Vectors,
    coefficients: Float[Tensor, "N K"],
    held_back: Sequence[bool],
    ridges: Sequence[float] = _RIDGES,
) -> VectorDecoder:
    """Ridge regression, the ridge chosen on the photos held back; then fitted to all.

    Solved from the singular value decomposition of the centred vectors, which is the primal form
    for many photos and the dual one for few.

    Args:
        coefficients: `spectrum` of the photos.

    Raises:
        ValueError: fewer than two photos to fit to, or none held back.
    """
    held = torch.tensor(list(held_back))
    if int((~held).sum()) < 2 or not held.any():
        raise ValueError("a linear decoder needs two photos to fit to and one to hold back.")
    x, y = vectors.double(), coefficients.double()
    trial = _Ridge(x[~held], y[~held])
    errors = [float((trial.predict(x[held], ridge) - y[held]).square().sum()) for ridge in ridges]
    ridge = ridges[min(range(len(ridges)), key=errors.__getitem__)]
    final = _Ridge(x, y)
    centred = y - y.mean(0)
    _, values, span = torch.linalg.svd(centred, full_matrices=False)
    kept = values > values.max() * 1e-10
    return VectorDecoder(final.weight(ridge), final.centre, final.mean, ridge, span[kept])


class _Ridge:
    """W(λ) = V diag(s / (s² + λ̂)) Uᵀ Y, λ̂ = λ · mean of s² over the D features."""

    def __init__(self, x: Vectors, y: Float[Tensor, "N K"]) -> None:
        self.centre, self.mean = x.mean(0), y.mean(0)
        u, self.s, self.vt = torch.linalg.svd(x - self.centre, full_matrices=False)
        self.uy = u.T @ (y - self.mean)
        self.unit = float(self.s.square().sum() / x.shape[1])

    def weight(self, ridge: float) -> Float[Tensor, "D K"]:
        shrunk = self.s / (self.s.square() + ridge * self.unit + 1e-300)
        weight: Tensor = self.vt.T @ (shrunk[:, None] * self.uy)
        return weight

    def predict(self, x: Vectors, ridge: float) -> Float[Tensor, "N K"]:
        return self.mean + (x - self.centre) @ self.weight(ridge)
