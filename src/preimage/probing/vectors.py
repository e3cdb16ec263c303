"""The linear rung for vectors: ridge regression to the picture's lowest frequencies.

A vector stands for the whole picture. Its target are the lowest q×q frequencies of each channel's
orthonormal cosine transform; what lies above is never predicted, and its energy stays in the error
exactly, since the transform keeps squared distances. Of the mean picture all frequencies are kept.
Features are brought to one scale; where there are more of them than photos, all is computed in the
basis of the photos' principal components, which is the dual form of the same regression.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.decoders.normal_equations import NormalEquations

Pixels = Float[Tensor, "N 3 H W"]
Vectors = Float[Tensor, "N D"]
FREQUENCIES = 32
_LEAST = 1e-12  # of the largest variance: directions below it are rounding
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
    """Pictures from vectors: the mean picture, and its deviations at low frequencies.

    A vector's coordinates are z = (f − centre) / scale, times `basis` where there is one; the
    frequencies' deviations are weightᵀ z.

    Args:
        mean: the training photos' mean picture.
        ridge: the one chosen, times the mean variance of a feature.
        span: orthonormal, of the training photos' deviations from their mean.
        equations: sums over the training photos' coordinates and frequencies.
    """

    weight: Float[Tensor, "r K"]
    centre: Float[Tensor, " D"]
    scale: Float[Tensor, " D"]
    basis: Float[Tensor, "D r"] | None
    mean: Float[Tensor, "3 H W"]
    ridge: float
    span: Float[Tensor, "q K"]
    equations: NormalEquations

    def coordinates(self, vectors: Vectors) -> Float[Tensor, "N r"]:
        """What the decoder sees of vectors, float64."""
        standard = (vectors.double() - self.centre) / self.scale
        return standard if self.basis is None else standard @ self.basis

    def __call__(self, vectors: Vectors, size: tuple[int, int]) -> Pixels:
        """Photos of this (height, width), not clipped."""
        return self.mean.float() + picture(self.coordinates(vectors) @ self.weight, size)

    def oracle(self, pixels: Pixels) -> Pixels:
        """The best picture in the span of the training photos: no ridge on fewer photos than
        features can do better, whatever the features are.
        """
        within = spectrum(pixels - self.mean) @ self.span.T @ self.span
        return self.mean.float() + picture(within, (pixels.shape[2], pixels.shape[3]))

    def beyond(self, pixels: Pixels) -> float:
        """Energy of these pictures that is never decoded, per picture: above the frequencies."""
        deviations = pixels.double() - self.mean
        dropped = deviations.square().sum() - spectrum(deviations).square().sum()
        return max(float(dropped), 0.0) / len(pixels)


def fit_vectors(
    vectors: Vectors,
    coefficients: Float[Tensor, "N K"],
    held_back: Sequence[bool],
    mean: Float[Tensor, "3 H W"],
    ridges: Sequence[float] = _RIDGES,
) -> VectorDecoder:
    """Ridge regression, the ridge chosen on the photos held back; then fitted to all.

    Args:
        coefficients: `spectrum` of the photos.
        mean: their mean picture.

    Raises:
        ValueError: fewer than two photos to fit to, or none held back.
    """
    held = torch.tensor(list(held_back))
    if int((~held).sum()) < 2 or not held.any():
        raise ValueError("a linear decoder needs two photos to fit to and one to hold back.")
    centre, scale, basis, z = _coordinates(vectors)
    y, features = coefficients.double(), vectors.shape[1]
    trial = _Ridge(z[~held], y[~held], features)
    errors = [float((trial.predict(z[held], ridge) - y[held]).square().sum()) for ridge in ridges]
    ridge = ridges[min(range(len(ridges)), key=errors.__getitem__)]
    weight = _Ridge(z, y, features).weight(ridge)
    sums = equations_of(z, y)
    return VectorDecoder(weight, centre, scale, basis, mean.double(), ridge, _span(y), sums)


def equations_of(x: Float[Tensor, "N r"], y: Float[Tensor, "N K"]) -> NormalEquations:
    """The sums of these samples."""
    return NormalEquations(x.T @ x, x.T @ y, x.sum(0), y.sum(0), float(y.square().sum()), len(x))


def _coordinates(
    vectors: Vectors,
) -> tuple[
    Float[Tensor, " D"], Float[Tensor, " D"], Float[Tensor, "D r"] | None, Float[Tensor, "N r"]
]:
    """Centre and scale of the features, a basis where there are fewer photos, and coordinates."""
    x = vectors.double()
    centre, scale = x.mean(0), x.std(0, correction=0)
    scale = torch.where(scale <= 1e-7 * centre.abs(), torch.ones_like(scale), scale)
    x = (x - centre) / scale
    if len(x) >= x.shape[1]:
        return centre, scale, None, x
    # A Gram matrix of the photos: a decomposition of x itself takes ten times as long.
    variances, directions = torch.linalg.eigh(x @ x.T)
    kept = variances > _LEAST * variances[-1]
    kept[-1] = True  # one direction at least, of constant features too
    lengths = variances[kept].clamp(min=1e-300).sqrt()
    basis = x.T @ (directions[:, kept] / lengths)
    return centre, scale, basis, directions[:, kept] * (variances[kept] / lengths)


def _span(y: Float[Tensor, "N K"]) -> Float[Tensor, "q K"]:
    """Orthonormal rows that span the samples' deviations from their mean."""
    centred = y - y.mean(0)
    few = len(y) < y.shape[1]
    variances, directions = torch.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    kept = variances > _LEAST * variances[-1].clamp(min=1e-300)
    span: Tensor = directions[:, kept].T
    if few:
        span = span @ centred / variances[kept].sqrt()[:, None]
    return span


class _Ridge:
    """W(λ) = V diag(s / (s² + λ̂)) Uᵀ Y, λ̂ = λ · mean of s² over the features."""

    def __init__(self, x: Float[Tensor, "N r"], y: Float[Tensor, "N K"], features: int) -> None:
        self.centre, self.mean = x.mean(0), y.mean(0)
        u, self.s, self.vt = torch.linalg.svd(x - self.centre, full_matrices=False)
        self.uy = u.T @ (y - self.mean)
        self.unit = float(self.s.square().sum() / features)

    def _gains(self, ridge: float) -> Float[Tensor, " s"]:
        gains: Tensor = self.s / (self.s.square() + ridge * self.unit + 1e-300)
        return gains

    def weight(self, ridge: float) -> Float[Tensor, "r K"]:
        weight: Tensor = self.vt.T @ (self._gains(ridge)[:, None] * self.uy)
        return weight

    def predict(self, x: Float[Tensor, "M r"], ridge: float) -> Float[Tensor, "M K"]:
        scores = (x - self.centre) @ self.vt.T * self._gains(ridge)
        predicted: Tensor = self.mean + scores @ self.uy
        return predicted
