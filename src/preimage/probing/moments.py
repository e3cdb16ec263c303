"""Second moments of features and pictures: the error of every linear decoder, without the photos.

For features x and pixels y of one position, centred at their training means, a decoder W has, on
features plus noise of covariance N,

    E|y − Wᵀ(x + noise)|² = E|y|² − 2 tr(W E[y xᵀ]) + tr(Wᵀ (E[x xᵀ] + N) W)

and the best one on the training positions is W = (Σ + N + λ)⁻¹ A, with Σ = E[x xᵀ], A = E[x yᵀ].
Only products of W with itself and with A enter, so that P×P matrices are enough, however many
pixels a position stands for.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import isqrt

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from preimage.decoders.normal_equations import NormalEquations
from preimage.notebook.brief import Brief

_LEAST = 1e-12  # of the mean variance: the least ridge, for channels that are constant


@dataclass(frozen=True)
class Errors:
    """Mean squared error per pixel value, in squared grey levels, not clipped to [0, 255].

    `held_out` of photos that the decoder has not seen, `in_sample` of those it was fitted to; each
    is the mean over all positions and over the noise.
    """

    held_out: float
    in_sample: float


@dataclass(frozen=True, repr=False)
class Moments(Brief):
    """Of P standardised features and of the pixels of their position, float64.

    Args:
        features: Σ, over training positions.
        told: A Aᵀ per pixel value: what features tell of the picture, in pairs.
        held_features: E[x xᵀ] over held-out positions, x about the training mean.
        held_told: B Aᵀ per pixel value, B = E[x yᵀ] over held-out positions.
        energy: E|y|² per pixel value over training positions.
        held_energy: the same over held-out positions, y about the training mean.
        ridge: λ, in units of the mean variance of a feature.
        channels: of a position; P = window² × channels.
    """

    features: Float[Tensor, "P P"]
    told: Float[Tensor, "P P"]
    held_features: Float[Tensor, "P P"]
    held_told: Float[Tensor, "P P"]
    energy: float
    held_energy: float
    ridge: float
    channels: int

    @property
    def window(self) -> int:
        """Side of the window of features."""
        return isqrt(len(self.features) // self.channels)

    @property
    def penalty(self) -> float:
        """λ: the ridge times the mean variance."""
        mean = float(self.features.diagonal().mean())
        return max(self.ridge, _LEAST) * (mean or 1.0)  # constant features tell nothing anyway

    def refit(
        self, kept: Int64[Tensor, " p"], noise: Float[Tensor, " p"]
    ) -> tuple[Errors, Float[Tensor, "p p"], Float[Tensor, "p p"]]:
        """The best decoder of some features plus independent noise of these variances.

        Returns:
            Its errors, S = (Σ + N + λ)⁻¹, and W Wᵀ per pixel value.
        """
        told, held_told, held = (
            matrix[kept][:, kept] for matrix in (self.told, self.held_told, self.held_features)
        )
        noisy = self.features[kept][:, kept] + noise.diag()
        penalised = noisy + self.penalty * torch.eye(len(kept), dtype=noisy.dtype)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(penalised))
        weights = inverse @ told @ inverse
        seen = self.energy - 2 * (inverse * told).sum() + (weights * noisy).sum()
        unseen = (
            self.held_energy
            - 2 * (inverse * held_told).sum()
            + (weights * held).sum()
            + weights.diagonal() @ noise
        )
        return Errors(float(unseen), float(seen)), inverse, weights

    def mixed(self, mixing: Float[Tensor, "P P"]) -> "Moments":
        """Of the features mixingᵀ x; orthonormal, so that white noise stays white."""
        return replace(
            self,
            features=mixing.T @ self.features @ mixing,
            told=mixing.T @ self.told @ mixing,
            held_features=mixing.T @ self.held_features @ mixing,
            held_told=mixing.T @ self.held_told @ mixing,
        )

    @cached_property
    def spectrum(self) -> "Spectrum":
        """In the basis of the features' principal components, largest first."""
        values, vectors = torch.linalg.eigh(self.features)
        of = self.mixed(vectors.flip(1))
        return Spectrum(
            values.flip(0).clamp(min=0),
            of.told.diagonal(),
            of.held_told.diagonal(),
            of.held_features * of.told,
            self.energy,
            self.held_energy,
            self.penalty,
        )


@dataclass(frozen=True, repr=False)
class Spectrum(Brief):
    """Moments of principal components, in which decoders are gains: W = diag(d) A.

    `values` e_i / n, `told` ‖a_i‖² / n² and `held_told` per pixel value; `crossed` is the product,
    entry by entry, of held-out moments and of `told`.
    """

    values: Float[Tensor, " P"]
    told: Float[Tensor, " P"]
    held_told: Float[Tensor, " P"]
    crossed: Float[Tensor, "P P"]
    energy: float
    held_energy: float
    penalty: float

    def best(self, noise: float) -> Errors:
        """White noise of this variance on every feature."""
        white = torch.full_like(self.values, noise)
        return self.errors(1 / (self.values + white + self.penalty), white)

    def errors(self, gains: Float[Tensor, " P"], noise: Float[Tensor, " P"]) -> Errors:
        """Of the decoder diag(gains) A, on components plus noise of these variances."""
        spent = self.told * gains.square()
        seen = self.energy - 2 * self.told @ gains + spent @ (self.values + noise)
        unseen = self.held_energy - 2 * self.held_told @ gains + spent @ noise
        unseen += gains @ self.crossed @ gains
        return Errors(float(unseen), float(seen))


def moments(
    training: NormalEquations,
    held_out: NormalEquations,
    unit: Float[Tensor, " P"],
    channels: int,
    values: int,
    ridge: float,
    beyond: tuple[float, float] = (0.0, 0.0),
) -> Moments:
    """What decoders can be solved and scored from, of features divided by `unit`.

    Args:
        unit: what a unit of noise is for each feature (`noise_units`).
        channels: of a position.
        values: pixel values that a position stands for.
        beyond: energy of the training and the held-out pictures per pixel value that is not among
            the targets, and therefore never decoded.
    """
    cross, held_cross = crosses(training, held_out, unit)
    n, m = training.count, held_out.count
    mean, mean_y = training.sum_x / n, training.sum_y / n
    features = torch.addr(training.gram / n, mean, mean, alpha=-1)
    # About the training mean: E[(x − μ)(x − μ)ᵀ] = E[x xᵀ] − μ E[x]ᵀ − (E[x] − μ) μᵀ
    x, y = held_out.sum_x / m, held_out.sum_y / m
    held = held_out.gram / m - torch.outer(mean, x) - torch.outer(x - mean, mean)
    held_energy = held_out.sum_yy / m - 2 * mean_y @ y + mean_y @ mean_y
    scale = torch.outer(unit, unit)
    return Moments(
        features / scale,
        cross @ cross.T / values,
        held / scale,
        held_cross @ cross.T / values,
        (training.sum_yy / n - float(mean_y @ mean_y)) / values + beyond[0],
        float(held_energy) / values + beyond[1],
        ridge,
        channels,
    )


def crosses(
    training: NormalEquations, held_out: NormalEquations, unit: Float[Tensor, " P"]
) -> tuple[Float[Tensor, "P Q"], Float[Tensor, "P Q"]]:
    """E[x yᵀ] over training and over held-out positions, both about the training means."""
    n, m = training.count, held_out.count
    mean, mean_y = training.sum_x / n, training.sum_y / n
    x, y = held_out.sum_x / m, held_out.sum_y / m
    cross = torch.addr(training.cross / n, mean, mean_y, alpha=-1)
    held_cross = held_out.cross / m - torch.outer(mean, y) - torch.outer(x - mean, mean_y)
    return cross / unit[:, None], held_cross / unit[:, None]


def noise_units(
    training: NormalEquations, channels: int, grid: tuple[int, int]
) -> Float[Tensor, " P"]:
    """One standard deviation of each channel, so that noise σ is a signal-to-noise ratio of 1/σ².

    A window's features beyond the border are zeros without noise. There the sums know the noise
    only for the share of positions at which a feature is inside; dividing by the root of that share
    makes the noise of all features alike, and the formulas hold exactly.

    Args:
        grid: (rows, columns) of positions.
    """
    side = isqrt(len(training.gram) // channels)
    reach = side // 2
    rows, columns = (
        torch.tensor([1 - abs(i - reach) / length for i in range(side)], dtype=torch.float64)
        for length in grid
    )
    inside = torch.outer(rows, columns).clamp(min=1e-9).flatten()
    middle = slice((side**2 // 2) * channels, (side**2 // 2 + 1) * channels)
    mean = training.sum_x[middle] / training.count
    variance = training.gram.diagonal()[middle] / training.count - mean.square()
    constant = variance <= 1e-12 * variance.max()
    std = torch.where(constant, torch.ones_like(variance), variance.clamp(min=0).sqrt())
    return torch.outer(inside.sqrt(), std).flatten()
