"""The curve over width where filters differ in kind: every class of filters has its own kernel.

The columns φ_c of random features are independent, of class j with probability π_j and second
moment K_j. Only given the class need their quadratic forms concentrate. Then, for all κ, with
A = Σ π_j c_j K_j, R = (A + κ)⁻¹ and λ = α κ::

    q_j = tr K_j R / N,      c_j = 1/(α + q_j),      Σ π_j c_j = 1

and the mean over networks of the error at x is that of kernel ridge regression with A in place of
K and κ in place of λ, plus a variance Σ π_j a_j yᵀRK_jRy with::

    a_j = c_j² (V_j + Σ_k π_k a_k tr K_jRK_kR) / N,    V_j = E (φ(x) − a_xᵀRφ)² in class j

One class is `WidthCurve` with r = 1. Derived in docs/retention.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy import optimize
from scipy.sparse.linalg import LinearOperator, cg
from torch import Tensor

from preimage.retention.filters import ClassKernels, FilterClasses
from preimage.retention.kernel_ridge import Problem
from preimage.retention.width import Radii, WidthCurve

_STEPS = 200
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Equivalent:
    """R in the basis, κ, and the classes' weights c."""

    resolvent: Float[Tensor, "r r"]
    kappa: float
    weights: Float[Tensor, " J"]


class MixtureCurve(WidthCurve):
    """The expected error of networks of any width, by the classes of their last filters.

    Args:
        problem: of the kernel at infinite width.
        classes: of the last convolution's filters.
        rank: eigenvectors of the kernel that are kept; what is left out counts as noise.
    """

    def __init__(self, problem: Problem, classes: FilterClasses, rank: int = 1024) -> None:
        super().__init__(problem, Radii())
        kept = slice(-min(rank, int((self.values > 1e-13 * self.trace).sum())), None)
        self._kept, self._top = kept, self.values[kept]
        self.classes = self._exact(classes.kernels(self.vectors[:, kept]))

    def mse(self, width: int | float, ridge: float) -> float:
        """Expected mean squared error per pixel value of networks of this width.

        Args:
            width: channels; `math.inf` for the limit.
            ridge: λ as a share of the trace, as in `kernel_ridge`.
        """
        if math.isinf(width):
            return super().mse(width, ridge)
        found = self._equivalent(width, ridge * self.trace)
        told, r = self._told[self._kept], found.resolvent
        reader = self._mixed(found.weights, self.classes.cross) @ r
        error = float((reader @ told - self._held_out).square().mean())
        return error + self._variance(width, found, reader, r @ told)

    def best(self, width: int | float, ridges: Sequence[float]) -> tuple[float, float]:
        """(mse, ridge) of the best ridge: downhill from the one that is best for one class."""
        order = sorted(ridges)
        at = min(range(len(order)), key=lambda i: WidthCurve.mse(self, width, order[i]))
        found = {at: self.mse(width, order[at])}
        while True:
            for near in {max(at - 1, 0), min(at + 1, len(order) - 1)} - set(found):
                found[near] = self.mse(width, order[near])
            best = min(found, key=lambda i: found[i])
            if best == at:
                return found[at], order[at]
            at = best

    def _exact(self, found: ClassKernels) -> ClassKernels:
        """Classes whose mean is the kernel itself: what the quadrature misses, added to each."""
        shares = found.shares
        missing = (
            torch.diag(self._top) - torch.tensordot(shares, found.grams, 1),
            self._cross[:, self._kept] - torch.tensordot(shares, found.cross, 1),
            self._diagonal.mean() - shares @ found.diagonal,
            self.trace - self._top.sum() - shares @ found.tails,
        )
        return replace(
            found,
            grams=found.grams.add_(missing[0]),  # in place: they are the largest part of memory
            cross=found.cross.add_(missing[1]),
            diagonal=found.diagonal + missing[2],
            tails=(found.tails + missing[3]).clamp(min=0),
        )

    def _mixed(self, weights: Tensor, kernels: Tensor) -> Tensor:
        mean: Tensor = torch.tensordot(self.classes.shares * weights, kernels, 1)
        return mean

    def _forms(self, matrix: Float[Tensor, "r r"]) -> Float[Tensor, " J"]:
        """tr K_j W of a symmetric W."""
        return self.classes.grams.flatten(1) @ matrix.flatten()

    def _equivalent(self, width: int | float, penalty: float) -> Equivalent:
        """The fixed point, classes' weights and κ in turn."""
        kappa = self._kappa(width, penalty)[0]
        weights = torch.ones_like(self.classes.shares)
        for _ in range(_STEPS):
            values, vectors = torch.linalg.eigh(self._mixed(weights, self.classes.grams))
            values = values.clamp(min=0)
            resolvent = (vectors / (values + kappa)) @ vectors.T
            forms = (self._forms(resolvent) + self.classes.tails / kappa).clamp(min=1e-30) / width
            spread = vectors.square().T @ self._top
            before = kappa
            weights_before = weights
            kappa, weights = self._step(forms, spread, values, kappa, penalty)
            moved = (weights / weights_before).log().abs().max()
            if float(moved) < _TOLERANCE and abs(math.log(kappa / before)) < _TOLERANCE:
                return Equivalent(resolvent, before, weights)
        raise ArithmeticError(
            f"the curve over width found no fixed point in {_STEPS} steps at {width} channels."
        )

    def _step(
        self, forms: Tensor, spread: Tensor, values: Tensor, kappa: float, penalty: float
    ) -> tuple[float, Tensor]:
        """κ and c for λ, with all q_j taken to change with κ as their mean does."""
        tail = float(self.classes.shares @ self.classes.tails)

        def profile(at: float) -> float:
            return float((spread / (values + at)).sum()) + tail / at

        q, shares, base = forms.numpy(), self.classes.shares.numpy(), profile(kappa)

        def alpha(at: float) -> float:
            return _alpha(q * profile(at) / base, shares)

        low, high = math.log(penalty) - 1e-6, math.log(penalty + 1e3 * self.trace)
        log = optimize.brentq(
            lambda x: math.exp(x) * alpha(math.exp(x)) - penalty, low, high, xtol=1e-9
        )
        found = math.exp(log)
        scaled = forms * (profile(found) / base)
        return found, 1 / (alpha(found) + scaled)

    def _variance(
        self, width: int | float, found: Equivalent, reader: Tensor, fitted: Float[Tensor, "r Q"]
    ) -> float:
        """Of the predictions over networks, mean over outputs and positions."""
        classes, r = self.classes, found.resolvent
        outputs = self._forms(fitted @ fitted.T / fitted.shape[1])
        missed = classes.diagonal + self._forms(reader.T @ reader / len(reader))
        missed -= 2 * classes.cross.flatten(1) @ reader.flatten() / len(reader)
        shares, diagonal = classes.shares, width / found.weights.square()

        def apply(a: np.ndarray) -> np.ndarray:
            a_ = torch.from_numpy(np.ascontiguousarray(a).ravel())
            within = self._forms(r @ self._mixed(a_, classes.grams) @ r)
            return np.asarray(shares * (diagonal * a_ - within))

        count = len(shares)
        system = LinearOperator((count, count), matvec=apply, dtype=float)
        first = LinearOperator((count, count), matvec=lambda v: v / (shares * diagonal).numpy())
        a, failed = cg(system, (shares * missed.clamp(min=0)).numpy(), rtol=1e-8, M=first)
        if failed:
            raise ArithmeticError(f"the variance at {width} channels was not solved.")
        return float((shares * outputs) @ torch.from_numpy(a))


def _alpha(q: np.ndarray, shares: np.ndarray) -> float:
    """α of Σ π_j / (α + q_j) = 1, by Newton's method from the left of a convex function; or 0."""
    found = 0.0
    for _ in range(_STEPS):
        terms = shares / (found + q)
        excess = float(terms.sum()) - 1
        if excess < 1e-13:
            break
        found += excess / float((terms / (found + q)).sum())
    return found
