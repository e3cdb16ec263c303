"""The curve over width: what networks of finite width are expected to retain.

N features of one random convolution are N independent draws φ_c of a random function of the patch,
with covariance K over the positions: random-feature ridge regression. Let G = (K + κ)⁻¹,
df₁ = tr KG, df₂ = tr KGKG, all of centred kernels of the P training positions. As N and P grow
together, the mean over networks of the error at a position x tends to::

    E |y_x − f̂(x)|² = |y_x − k_xᵀ G Y|² + γ yᵀGKGy · V_x / (N − γ df₂)
    V_x = k_xx − 2 k_xᵀGk_x + k_xᵀGKGk_x,      λ = α κ,      1 = E r² / (α + r² df₁/N)

where r² is the squared length of a filter over its mean, and γ = E (r²/(α + r² df₁/N))². For r = 1,
Gaussian features, α = 1 − df₁/N and γ = 1: the known equivalent. Derived in docs/retention.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize, special

from preimage.retention.kernel_ridge import Problem


@dataclass(frozen=True)
class Radii:
    """The law of r², the squared length of a filter over its mean: values and their weights."""

    values: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = (1.0,)

    @classmethod
    def of_gaussian(cls, fan_in: int) -> "Radii":
        """χ² / fan-in, by Gauss–Laguerre quadrature: a Gaussian filter of so many weights."""
        nodes, weights = special.roots_genlaguerre(48, fan_in / 2 - 1)
        return cls(tuple(2 * nodes / fan_in), tuple(weights / weights.sum()))

    def alpha(self, share: float) -> float:
        """α for df₁/N = `share`; 0 where there are no more features than df₁."""
        if share >= 1:
            return 0.0
        if len(self.values) == 1:
            return 1 - share
        values, weights = np.array(self.values), np.array(self.weights)
        if not share:
            return 1.0
        root = optimize.brentq(
            lambda log_alpha: weights @ (values / (np.exp(log_alpha) + values * share)) - 1,
            -60,
            1e-9,
        )
        return float(np.exp(root))

    def gamma(self, alpha: float, share: float) -> float:
        """γ = E (r²/(α + r² df₁/N))²."""
        values, weights = np.array(self.values), np.array(self.weights)
        return float(weights @ (values / (alpha + values * share)) ** 2)


class WidthCurve:
    """The expected error of networks of any width, from one decomposition of the kernel.

    Args:
        problem: of the kernel at infinite width.
        radii: the law of the filters' lengths.
    """

    def __init__(self, problem: Problem, radii: Radii = Radii()) -> None:
        centred = problem.centred()
        values, vectors = torch.linalg.eigh(centred.gram)
        self.values, self.vectors = values.clamp(min=0), vectors
        self.trace = float(self.values.sum())
        self.radii = radii
        self._told = vectors.T @ centred.targets
        self._cross = centred.cross @ vectors
        self._diagonal, self._held_out = centred.diagonal, centred.held_out

    def mse(self, width: int | float, ridge: float) -> float:
        """Expected mean squared error per pixel value of networks of this width.

        Args:
            width: channels; `math.inf` for the limit.
            ridge: λ as a share of the trace, as in `kernel_ridge`.
        """
        kappa, share = self._kappa(width, ridge * self.trace)
        shrunk = 1 / (self.values + kappa)
        mean = self._cross @ (shrunk[:, None] * self._told)
        error = float((mean - self._held_out).square().mean())
        if np.isinf(width):
            return error
        df2 = float((self.values * shrunk).square().sum())
        gamma = self.radii.gamma(self.radii.alpha(share), share)
        fitted = (self.values * shrunk.square())[:, None] * self._told.square()
        distance = self._diagonal + self._cross.square() @ (
            self.values * shrunk.square() - 2 * shrunk
        )
        scatter = float(fitted.sum(0).mean() * distance.clamp(min=0).mean())
        return error + gamma * scatter / (width - gamma * df2)

    def best(self, width: int | float, ridges: Sequence[float]) -> tuple[float, float]:
        """(mse, ridge) of the ridge with the least expected error."""
        return min((self.mse(width, ridge), ridge) for ridge in ridges)

    def _kappa(self, width: int | float, penalty: float) -> tuple[float, float]:
        """κ and df₁/N."""
        if np.isinf(width):
            return penalty, 0.0
        # κ − λ is at most tr K / N for Gaussian features; lengths that differ can double it.
        top = penalty + 10 * self.trace / width
        low = np.log(max(penalty, 1e-14 * self.trace))
        root = optimize.brentq(
            lambda log: (
                np.exp(log) * self.radii.alpha(self._share(float(np.exp(log)), width)) - penalty
            ),
            low - 1e-9,
            np.log(top),
            xtol=1e-10,
        )
        kappa = float(np.exp(root))
        return kappa, self._share(kappa, width)

    def _share(self, kappa: float, width: int | float) -> float:
        """df₁/N."""
        return float((self.values / (self.values + kappa)).sum()) / width
