"""Moments of random filters and of rectified projections on them (Lemma A.2 and relatives).

The letters are the paper's: k_m = ½ E|w₁|^m for a weight w₁, and K_m = k_2m / k_m² − 1, the
relative variance of a rectified projection's m-th power. A filter is *isotropic* if its density
depends on its length alone. Gaussian filters are; filters with i.i.d. uniform, logistic or Laplace
weights are not, and their projections do not have the law's own k_m (`marginal_moments`). As the
fan-in grows, they have those of the Gaussian with the same standard deviation
(`gaussian_moments`).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network.laws import Law

# k_1, k_2 and k_4 at scale 1 (the scales of `Law`), and the excess kurtosis.
_MARGINAL = {
    "gaussian": (1 / math.sqrt(2 * math.pi), 1 / 2, 3 / 2, 0.0),
    "uniform": (1 / 4, 1 / 6, 1 / 10, -6 / 5),
    "logistic": (math.log(2), math.pi**2 / 6, 7 * math.pi**4 / 30, 6 / 5),
    "laplace": (1 / 2, 1.0, 12.0, 3.0),
}


@dataclass(frozen=True)
class Moments:
    """k_1, k_2 and k_4 of act(w·y)/‖y‖; for leaky ReLU they include the slope."""

    k1: float
    k2: float
    k4: float

    @property
    def K1(self) -> float:
        """K_1 = k_2/k_1² − 1, infinite where k_1 = 0 (slope 1: no activation)."""
        return self.k2 / self.k1**2 - 1 if self.k1 else math.inf

    @property
    def K2(self) -> float:
        """K_2 = k_4/k_2² − 1."""
        return self.k4 / self.k2**2 - 1

    def with_slope(self, slope: float) -> "Moments":
        """The moments behind leaky ReLU max(x, 0) + slope · min(x, 0), from those behind ReLU.

        E act^m = (1 + (−slope)^m) k_m ‖y‖^m. Derived in docs/theory.md.
        """
        return Moments((1 - slope) * self.k1, (1 + slope**2) * self.k2, (1 + slope**4) * self.k4)


def gaussian_moments(std: float = 1.0, slope: float = 0.0) -> Moments:
    """k_m of filters with N(0, std²) weights: K_1 = π − 1 and K_2 = 5 for ReLU.

    These hold for i.i.d. weights of *any* law with this standard deviation at large fan-in; k_2 is
    exact at every fan-in (see `iid_moments`). Source: Definition A.1, Lemma A.2.
    """
    return _scaled("gaussian", std).with_slope(slope)


def marginal_moments(law: Law, slope: float = 0.0, fan_in: int = 1) -> Moments:
    """k_m of the law itself, that is, of an *isotropic* filter whose single weights have this law.

    They do not hold for i.i.d. weights, except Gaussian ones: k_1 is too large by 8 % (uniform) or
    too small by 4 % and 11 % (logistic, Laplace). Source: Definition A.1;
    docs/theory.md, section 1.
    """
    return _scaled(law.family, _scale(law, fan_in, slope)).with_slope(slope)


def iid_moments(
    law: Law, patch: Float[Tensor, "..."], slope: float = 0.0
) -> tuple[Float[Tensor, ""], Moments]:
    """For i.i.d. weights and one patch y: the deviation κS from the Gaussian, and the moments.

        κS = κ Σy⁴/(Σy²)²,   k_1 = std/√(2π) · (1 − κS/24 + …),   k_2 = std²/2 exactly,
        K_2 = 5 + 2κS exactly for ReLU,   κ the excess kurtosis of a weight.

    Derived in docs/theory.md, section 1. κS falls as 1/fan-in for patches without outliers.

    Raises:
        ValueError: the patch is zero.
    """
    y = patch.double().flatten()
    energy = y.square().sum()
    if not energy > 0:
        raise ValueError("`patch` must not be all zero: its direction is undefined.")
    departure = excess_kurtosis(law) * y.pow(4).sum() / energy**2
    gauss = gaussian_moments(law.std(y.numel(), slope))
    k4 = gauss.k4 * (1 + float(departure) / 3)
    return departure, Moments(gauss.k1 * (1 - float(departure) / 24), gauss.k2, k4).with_slope(
        slope
    )


def excess_kurtosis(law: Law) -> float:
    """E w⁴/(E w²)² − 3 of a single weight."""
    return _MARGINAL[law.family][3]


def sample_isotropic(
    law: Law, num_filters: int, fan_in: int, generator: torch.Generator
) -> Float[Tensor, "num_filters fan_in"]:
    """Isotropic filters whose single weights have this law: a random scalar times a Gaussian.

    Laplace: λ√(2E) g with E ~ Exp(1). Logistic: s√V g, V = Σ_j 2E_j/j². For these the constants
    of `marginal_moments` are exact. Derived in docs/theory.md, section 1.

    Raises:
        ValueError: a uniform law (no isotropic law in more than three dimensions has uniform
            marginals), or a law without a scale.
    """
    if law.scale is None:
        raise ValueError(f"`law` needs a scale, such as {law.family}:1, got {law}.")
    normal = torch.randn(num_filters, fan_in, generator=generator, dtype=torch.float64)
    match law.family:
        case "gaussian":
            return law.scale * normal
        case "laplace":
            variance = 2 * _exponential((num_filters, 1), generator)
        case "logistic":
            terms = 200
            squares = torch.arange(1, terms + 1, dtype=torch.float64).square()
            tail = math.pi**2 / 6 - float((1 / squares).sum())
            draws = _exponential((num_filters, terms), generator)
            variance = 2 * ((draws / squares).sum(1, keepdim=True) + tail)
        case _:
            raise ValueError(
                "no isotropic filter with more than three weights has uniform marginals; choose "
                "gaussian, logistic or laplace."
            )
    return law.scale * variance.sqrt() * normal


def relu_correlation(c: Float[Tensor, "..."], slope: float = 0.0) -> Float[Tensor, "..."]:
    """h(c) = E act(g_i) act(g_j) / (k_2 z_i z_j) of projections with correlation c in [−1, 1].

        h(c) = (1/π)[√(1 − c²) + c (π − arccos c)],   leaky: h(c) − 2a/(1 + a²) h(−c)

    h(1) = 1. Source: Lemma A.2; the leaky form is derived in docs/theory.md.
    """
    value = _relu_correlation(c)
    if slope == 0:
        return value
    # h(−c) = h(c) − c
    return value - (2 * slope / (1 + slope**2)) * (value - c)


def relu_square_correlation(c: Float[Tensor, "..."], slope: float = 0.0) -> Float[Tensor, "..."]:
    """J(c) = E act(g_i)² act(g_j)² / (k_4 z_i² z_j²) of projections with correlation c.

        J(c) = [3 s c + (π − θ)(1 + 2c²)]/(3π),  c = cos θ, s = sin θ
        leaky: [(1 + a⁴) J(c) + 2a² J(−c)]/(1 + a⁴)

    J(1) = 1 for ReLU. Derived in docs/theory.md.
    """
    value = _relu_square_correlation(c)
    if slope == 0:
        return value
    mixed = 2 * slope**2 / (1 + slope**4) * _relu_square_correlation(-c)
    return value + mixed


def _relu_correlation(c: Tensor) -> Tensor:
    c = c.clamp(-1, 1)
    return ((1 - c * c).clamp(min=0).sqrt() + c * (math.pi - c.acos())) / math.pi


def _relu_square_correlation(c: Tensor) -> Tensor:
    c = c.clamp(-1, 1)
    sine = (1 - c * c).clamp(min=0).sqrt()
    return (3 * sine * c + (math.pi - c.acos()) * (1 + 2 * c * c)) / (3 * math.pi)


def _scale(law: Law, fan_in: int, slope: float) -> float:
    if law.scale is not None:
        return law.scale
    return law.std(fan_in, slope) / Law(law.family, 1.0).std()


def _scaled(family: str, scale: float) -> Moments:
    k1, k2, k4, _ = _MARGINAL[family]
    return Moments(k1 * scale, k2 * scale**2, k4 * scale**4)


def _exponential(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return -torch.log1p(-torch.rand(shape, generator=generator, dtype=torch.float64))
