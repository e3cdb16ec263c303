"""The least-squares decoder of a layer from its kernel alone: kernel ridge regression.

With features X (positions × channels), centred, the decoder that minimises Σ |y − Wᵀx − b|² + λ|W|²
predicts K(·, X) (K + λ)⁻¹ Y, K = X Xᵀ: the weights are never needed, and at infinite width, where
there are infinitely many, K is the layer's kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from preimage.retention.positions import distinct

#: Shares of the trace. Half powers of ten around those that layers of VGG16 choose.
RIDGES = tuple(10 ** (-half / 2) for half in range(2, 21))
HELD_BACK = 5  # every fifth photo is held back to choose the ridge, as in `decoders.ridge`


@dataclass(frozen=True)
class Problem:
    """Positions to fit to (P) and to predict (M), of a layer's kernel or of a network's features.

    `diagonal` is K(p, p) of the positions to predict; `photos` numbers the photos of both.
    """

    gram: Float[Tensor, "P P"]
    cross: Float[Tensor, "M P"]
    diagonal: Float[Tensor, " M"]
    targets: Float[Tensor, "P Q"]
    held_out: Float[Tensor, "M Q"]
    photos: Int64[Tensor, " P"]
    held_out_photos: Int64[Tensor, " M"]

    def some(self, kept: Bool[Tensor, " P"]) -> "Problem":
        """The problem with only these positions to fit to."""
        return Problem(
            self.gram[kept][:, kept],
            self.cross[:, kept],
            self.diagonal,
            self.targets[kept],
            self.held_out,
            self.photos[kept],
            self.held_out_photos,
        )

    def centred(self) -> "Problem":
        """The same with the training positions' mean taken from features and targets, float64.

        An intercept that is not penalised, as the least-squares decoder has.
        """
        gram, cross = self.gram.double(), self.cross.double()
        mean = gram.mean(0)
        level = mean.mean()
        targets = self.targets.mean(0)
        return Problem(
            gram - mean[:, None] - mean + level,
            cross - cross.mean(1, keepdim=True) - mean + level,
            self.diagonal.double() - 2 * cross.mean(1) + level,
            self.targets - targets,
            self.held_out - targets,
            self.photos,
            self.held_out_photos,
        )


def feature_problem(
    features: Float[Tensor, "P N"], held_out: Float[Tensor, "M N"], like: Problem
) -> Problem:
    """The problem of a network's features at the positions of `like`, on the kernel's scale."""
    x, z = features.double() / features.shape[1] ** 0.5, held_out.double()
    z = z / features.shape[1] ** 0.5
    return Problem(
        x @ x.T,
        z @ x.T,
        z.square().sum(1),
        like.targets,
        like.held_out,
        like.photos,
        like.held_out_photos,
    )


@dataclass(frozen=True)
class Fit:
    """A kernel ridge regression and what it predicts.

    `ridge` is λ as a share of the trace of the centred Gram. The least-squares decoder's own ridge,
    a multiple of the mean over its P weights of the same trace, is `ridge` · P: it has no limit as
    P grows, λ itself has. `held_back_mse` belongs to `ridges`, None where λ is too small to solve.
    `predictions` and `residuals` are of the positions to predict, residuals to their targets.
    """

    ridge: float
    ridges: tuple[float, ...]
    held_back_mse: tuple[float | None, ...]
    predictions: Float[Tensor, "M Q"]
    residuals: Float[Tensor, "M Q"]

    @property
    def mse(self) -> float:
        """Mean squared error per pixel value, grey levels²."""
        return float(self.residuals.square().mean())


def fit(problem: Problem, ridges: Sequence[float] = RIDGES) -> Fit:
    """The regression with the ridge that does best on every fifth photo, fitted to all.

    A ridge that is too small to solve, on the other photos or on all, is passed over.

    Raises:
        ValueError: choosing takes two photos; or no ridge can be solved.
    """
    errors: tuple[float | None, ...] = ()
    order = list(ridges)
    if len(ridges) > 1:
        errors = held_back_errors(problem, ridges)
        scored = zip(errors, ridges, strict=True)
        order = [r for _, r in sorted((e, r) for e, r in scored if e is not None)]
    centred = problem.centred()
    for ridge in order:
        found = _solve(centred, ridge)
        if found is not None:
            predictions = found + problem.targets.mean(0)
            return Fit(ridge, tuple(ridges), errors, predictions, predictions - problem.held_out)
    raise ValueError(f"the Gram matrix is singular with every ridge of {tuple(ridges)}.")


def held_back_errors(problem: Problem, ridges: Sequence[float]) -> tuple[float | None, ...]:
    """Mean squared error on every fifth photo after a fit to the others, for each ridge.

    Raises:
        ValueError: there is a single photo.
    """
    order = distinct(problem.photos)[1]
    held = order % HELD_BACK == 1
    if not bool(held.any()):
        raise ValueError("choosing a ridge takes two photos or more; give more, or one ridge.")
    part = Problem(
        problem.gram[~held][:, ~held],
        problem.gram[held][:, ~held],
        problem.gram.diagonal()[held],
        problem.targets[~held],
        problem.targets[held],
        problem.photos[~held],
        problem.photos[held],
    )
    return errors_by_ridge(part, ridges)


def errors_by_ridge(problem: Problem, ridges: Sequence[float]) -> tuple[float | None, ...]:
    """Mean squared error of the predictions for each ridge; None where it is too small to solve."""
    centred = problem.centred()
    found = (_solve(centred, ridge) for ridge in ridges)
    return tuple(
        None if p is None else float((p - centred.held_out).square().mean()) for p in found
    )


def _solve(centred: Problem, ridge: float) -> Float[Tensor, "M Q"] | None:
    """Predictions less the mean target; None where λ is too small for the Gram's rounding."""
    gram = centred.gram.clone()
    diagonal = gram.diagonal()
    diagonal += ridge * diagonal.sum()
    factor, failed = torch.linalg.cholesky_ex(gram)
    if failed:
        return None
    found: Tensor = centred.cross @ torch.cholesky_solve(centred.targets, factor)
    return found
