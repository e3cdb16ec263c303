"""The law of Σ μ_i χ²_1, a weighted sum of squares of independent standard Gaussians."""

import math

import torch
from jaxtyping import Float
from scipy import special  # not scipy.stats, which takes half a second to import
from torch import Tensor


def mixture_cdf(weights: Float[Tensor, " d"], x: float) -> float:
    """P(Σ μ_i χ²_1 ≤ x) by inverting the characteristic function φ(t) = Π (1 − 2iμ_i t)^(−1/2).

        P = ½ − Σ_(k≥0) Im[φ(t_k) e^(−i t_k x)]/(π (k + ½)),  t_k = (k + ½)Δ

    The error of the sum is the tail of the law beyond 2π/Δ (Davies 1973), which the choice of Δ
    keeps below 1e-9; terms are added until |φ| is below 1e-10, at most 2¹⁷ of them. Weights below
    1e-6 of the largest are replaced by their mean; a single weight, or equal ones, have a closed
    form.

    The measured error is below 2e-6 for x ≥ μ_max/20. For smaller x it is small only if |φ| falls
    fast: with two or three weights it grows from 2e-5, when they are equal, to 3e-3, when all but
    the largest are 1e-6 of it.

    Raises:
        ValueError: a weight is negative, or none is positive.
    """
    mu, shift = _significant(weights)
    x -= shift
    if x <= 0:
        return 0.0
    if float(mu.max() - mu.min()) <= 1e-12 * float(mu.max()):
        return float(special.chdtr(len(mu), x / float(mu.mean())))
    return _inverted(mu, x)


def _inverted(mu: Tensor, x: float) -> float:
    mean, largest = float(mu.sum()), float(mu.max())
    # Chernoff: P(Σ μχ² > mean + s) falls as exp(−s/2μ_max) or faster once s is well above √Σμ².
    far = x + mean + 8 * float(mu.norm()) + 60 * largest
    step = 2 * math.pi / far
    total, start, block = 0.0, 0, 4096
    while start < 1 << 17:
        k = torch.arange(start, start + block, dtype=torch.float64) + 0.5
        angle, modulus = _characteristic(mu, k * step)
        terms = modulus * torch.sin(angle - k * step * x) / (math.pi * k)
        total += float(terms.sum())
        if float(modulus[-1]) < 1e-10:
            break
        start += block
    return min(max(0.5 - total, 0.0), 1.0)


def mixture_quantile(weights: Float[Tensor, " d"], probability: float) -> float:
    """The x with P(Σ μ_i χ²_1 ≤ x) = `probability`, by bisection to 1e-6 relative.

    As exact as `mixture_cdf` for probabilities up to 1 − 1e-8 and, with four or more similar
    weights, down to 1e-3; with two or three, quantiles below μ_max/20 are rough.

    Raises:
        ValueError: as `mixture_cdf`, or `probability` not strictly between 0 and 1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"`probability` must be strictly between 0 and 1, got {probability}.")
    _significant(weights)
    low, high = 0.0, float(weights.sum())
    while mixture_cdf(weights, high) < probability:
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        below = mixture_cdf(weights, middle) < probability
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


def _significant(weights: Tensor) -> tuple[Tensor, float]:
    """The significant weights, and the sum of the others."""
    mu = weights.double().flatten()
    if mu.numel() == 0 or float(mu.min()) < 0 or not float(mu.max()) > 0:
        raise ValueError("`weights` must be nonnegative, and at least one of them positive.")
    small = mu < 1e-6 * mu.max()
    return mu[~small], float(mu[small].sum())


def _characteristic(mu: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Argument and modulus of φ(t), a few weights at once."""
    angle, log_modulus = torch.zeros_like(t), torch.zeros_like(t)
    for part in torch.split(mu, 256):
        product = 2 * part[:, None] * t
        angle += 0.5 * product.atan().sum(0)
        log_modulus -= 0.25 * torch.log1p(product.square()).sum(0)
    return angle, log_modulus.exp()
