"""The sums that a linear fit with an intercept is solved from, however many samples there were."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

#: Beyond so many features a factorisation per ridge is faster than one decomposition for all.
LARGE = 2048


@dataclass(frozen=True)
class NormalEquations:
    """Sums over positions, float64; P = k·k·C, in the order (row, column, channel) of the window.

    `gram` Σ x xᵀ, `cross` Σ x yᵀ, `sum_x`, `sum_y`, `sum_yy` Σ |y|², `count` of positions.
    """

    gram: Float[Tensor, "P P"]
    cross: Float[Tensor, "P Q"]
    sum_x: Float[Tensor, " P"]
    sum_y: Float[Tensor, " Q"]
    sum_yy: float
    count: int

    def __add__(self, other: "NormalEquations") -> "NormalEquations":
        return NormalEquations(
            self.gram + other.gram,
            self.cross + other.cross,
            self.sum_x + other.sum_x,
            self.sum_y + other.sum_y,
            self.sum_yy + other.sum_yy,
            self.count + other.count,
        )

    def solve(self, ridge: float) -> tuple[Float[Tensor, "P Q"], Float[Tensor, " Q"]] | None:
        """Weight and intercept that minimise Σ |y − Wᵀx − b|² + λ |W|²; b is not penalised.

        λ is `ridge` times the mean diagonal of the centred Gram. None where that Gram is not
        positive definite within rounding: the ridge is too small.
        """
        mean = self.sum_x / self.count
        gram = torch.addr(self.gram, self.sum_x, mean, alpha=-1)
        diagonal = gram.diagonal()
        diagonal += ridge * diagonal.mean()
        factor, failed = torch.linalg.cholesky_ex(gram)
        if failed:
            return None
        del gram, diagonal
        weight = torch.cholesky_solve(
            torch.addr(self.cross, mean, self.sum_y, alpha=-1), factor
        )  # (P, Q)
        return weight, (self.sum_y - weight.T @ self.sum_x) / self.count

    def squared_error(self, weight: Float[Tensor, "P Q"], bias: Float[Tensor, " Q"]) -> float:
        """Σ |y − Wᵀx − b|², exactly, without the windows: a quadratic form in W and b."""
        quadratic = (weight * (self.gram @ weight - 2 * self.cross)).sum()
        linear = 2 * bias @ (weight.T @ self.sum_x - self.sum_y) + self.count * bias @ bias
        return max(float(quadratic + linear) + self.sum_yy, 0.0)

    def errors_on(
        self, held_back: "NormalEquations", ridges: Sequence[float]
    ) -> dict[float, float]:
        """Σ |y − Wᵀx − b|² over samples held back, of the solution of each ridge.

        One decomposition serves all ridges. With the centred Gram V diag(e) Vᵀ and the centred
        cross-moments A, the weight of a ridge is V diag(s) Vᵀ A, s = 1 / (e + λ); with the same
        sums over the samples held back, about the same means, G and B,

            Σ |y − Wᵀx − b|² = Σ |y − ȳ|² − 2 Σᵢ sᵢ (VᵀB Aᵀ V)ᵢᵢ + Σᵢⱼ sᵢ sⱼ (VᵀG V)ᵢⱼ (VᵀA Aᵀ V)ᵢⱼ

        Where there are more than `LARGE` features, each ridge is solved for itself. Ridges too
        small for the Gram's rounding are left out.
        """
        if len(self.gram) > LARGE:
            solutions = ((ridge, self.solve(ridge)) for ridge in ridges)
            return {
                ridge: held_back.squared_error(*solution)
                for ridge, solution in solutions
                if solution is not None
            }
        x, y = self.sum_x / self.count, self.sum_y / self.count
        own, held = self._about(x, y), held_back._about(x, y)
        values, vectors = torch.linalg.eigh(own.gram)
        told = vectors.T @ own.cross
        linear = (told * (vectors.T @ held.cross)).sum(1)
        quadratic = (vectors.T @ held.gram @ vectors) * (told @ told.T)
        least = len(values) * torch.finfo(values.dtype).eps * float(values[-1])
        errors = {}
        for ridge in ridges:
            penalised = values + ridge * own.gram.diagonal().mean()
            if penalised[0] > least:
                error = held.sum_yy - 2 * linear @ (1 / penalised)
                error += (1 / penalised) @ quadratic @ (1 / penalised)
                errors[ridge] = max(float(error), 0.0)
        return errors

    def _about(self, x: Float[Tensor, " P"], y: Float[Tensor, " Q"]) -> "NormalEquations":
        """The sums of x − `x` and y − `y`."""
        sum_x, sum_y = self.sum_x - self.count * x, self.sum_y - self.count * y
        return NormalEquations(
            self.gram - torch.outer(self.sum_x, x) - torch.outer(x, sum_x),
            self.cross - torch.outer(self.sum_x, y) - torch.outer(x, sum_y),
            sum_x,
            sum_y,
            self.sum_yy - float(y @ (self.sum_y + sum_y)),
            self.count,
        )
