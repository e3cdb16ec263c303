"""Which parts of the picture a layer knows: correlations with the picture's principal components.

A Gram's spectrum alone explains no reconstruction: least squares does not change if channels are
mixed by any invertible matrix, and the spectrum does. What does not change are the correlations of
the best readings of the features with the picture: for each principal component of a position's
block of pixels, the share of its variance that is read; and the canonical correlations, the largest
correlations that any reading of the features has with any combination of these components.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.decoders.blocks import to_blocks
from preimage.notebook.view import Shown, draw_on
from preimage.probing.controls import block_basis
from preimage.probing.moments import Moments
from preimage.probing.verdict import over_draws

Pixels = Float[Tensor, "N 3 H W"]
HeldOut = Float[Tensor, "M 3 H W"]
COMPONENTS = 32


@dataclass(frozen=True)
class PictureComponents:
    """The first principal components of blocks of pixels, brought to variance 1.

    `directions` (Q, r): deviations from the training photos' mean block, times these, have
    covariance 1 over training positions, and `held_out` over held-out ones, about the same mean.
    `shares` of the blocks' variance, largest first.
    """

    directions: Float[Tensor, "Q r"]
    held_out: Float[Tensor, "r r"]
    shares: list[float]


def picture_components(training: Pixels, held_out: HeldOut, stride: int) -> PictureComponents:
    """Of the blocks that positions of this stride stand for."""
    size = 3 * stride**2
    basis = block_basis(training, stride, min(COMPONENTS, size - 1))
    assert basis is not None
    covariances, total = [], 0.0
    for photos in (training, held_out):
        sums, count = torch.zeros(len(basis.directions), len(basis.directions)).double(), 0
        for part in torch.split(photos, 16):
            blocks = to_blocks(part, stride).movedim(1, -1).flatten(0, 2).double() - basis.mean
            rows = blocks @ basis.directions.T
            sums += rows.T @ rows
            count += len(rows)
            total += float(blocks.square().sum()) if photos is training else 0.0
        covariances.append(sums / count)
        total = total / count if photos is training else total
    variances = covariances[0].diagonal()
    scale = variances.clamp(min=1e-12).rsqrt()
    shares: list[float] = (variances / total).tolist()
    return PictureComponents(
        basis.directions.T * scale, covariances[1] * torch.outer(scale, scale), shares
    )


@dataclass(frozen=True)
class Correlations:
    """Of one network's layer with the picture's components, on held-out photos.

    Args:
        shares: of the blocks' variance in each component.
        retained: of each component's variance, by the decoder with the layer's ridge; below 0 it
            does worse than the mean.
        canonical: correlations of the canonical pairs, which are found on the training photos.
    """

    shares: list[float]
    retained: list[float]
    canonical: list[float]


def correlations(
    moments: Moments,
    cross: Float[Tensor, "P Q"],
    held_cross: Float[Tensor, "P Q"],
    picture: PictureComponents,
) -> Correlations:
    """From moments alone.

    With Σ + λ = L Lᵀ and A the cross-moments with the components at variance 1, the singular
    values of L⁻¹ A are the canonical correlations and its singular vectors give the pairs.

    Args:
        cross: E[x yᵀ] over training positions, of features and pixels about their means.
        held_cross: the same over held-out positions, about the training means.
    """
    penalised = moments.features + moments.penalty * torch.eye(len(cross), dtype=cross.dtype)
    factor = torch.linalg.cholesky(penalised)
    white = torch.linalg.solve_triangular(factor, cross @ picture.directions, upper=False)
    left, _, right = torch.linalg.svd(white, full_matrices=False)
    readings, weights = (
        torch.linalg.solve_triangular(factor.T, part, upper=True) for part in (left, white)
    )
    met = held_cross @ picture.directions  # (P, r)
    together = _paired(readings, met @ right.T)
    alone = _paired(readings, moments.held_features @ readings)
    of_picture = _paired(right.T, picture.held_out @ right.T)
    canonical = together / (alone * of_picture).clamp(min=1e-30).sqrt()
    variances = picture.held_out.diagonal()
    errors = variances - 2 * _paired(weights, met)
    errors += _paired(weights, moments.held_features @ weights)
    retained: list[float] = (1 - errors / variances.clamp(min=1e-12)).tolist()
    return Correlations(picture.shares, retained, canonical.tolist())


def _paired(left: Float[Tensor, "n r"], right: Float[Tensor, "n r"]) -> Float[Tensor, " r"]:
    """Product of each column with its own."""
    return (left * right).sum(0)


@dataclass(frozen=True, repr=False)
class CorrelationReport(Shown):
    """A network's correlations with the picture beside those of its random twins."""

    trained: Correlations
    twins: Sequence[Correlations] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per principal component: its share, what is retained, twins, difference.

        `over_draws` is the half-width of the 95 % interval of the difference over draws; None where
        there are too few twins. A canonical pair has no component of its own; pair k stands in row
        k, None where there are fewer pairs.
        """
        rows = []
        for index, (share, kept) in enumerate(
            zip(self.trained.shares, self.trained.retained, strict=True)
        ):
            of_twins = [twin.retained[index] for twin in self.twins]
            draws = over_draws([kept - value for value in of_twins]) if of_twins else None
            rows.append(
                {
                    "component": index + 1,
                    "share": share,
                    "retained": kept,
                    "twins": fmean(of_twins) if of_twins else None,
                    "difference": draws.mean if draws else None,
                    "over_draws": draws.half_width if draws and draws.n > 1 else None,
                    "canonical": _at(self.trained.canonical, index),
                    "twins_canonical": _mean_at([t.canonical for t in self.twins], index),
                }
            )
        return rows

    def _rows(self) -> list[dict[str, Any]]:
        return self.rows()

    def plot(self, ax: Any = None, canonical: bool = False) -> Any:
        """Variance retained per component, or the canonical correlations; twins dashed.

        Args:
            ax: the Axes to draw on; a new Figure if not given. What was drawn on is returned.
        """
        return draw_on(ax, lambda ax: self._draw_lines(ax, canonical))

    def _draw_lines(self, axes: Any, canonical: bool) -> None:
        name = "canonical" if canonical else "retained"
        for found, style in ((self.trained, "-"), *((twin, "--") for twin in self.twins)):
            values = getattr(found, name)
            label = "trained" if found is self.trained else None
            colour, width = ("0.2", 1.5) if label else ("0.6", 0.7)
            axes.plot(
                range(1, len(values) + 1), values, style, color=colour, linewidth=width, label=label
            )
        axes.set(
            xlabel="canonical pair" if canonical else "principal component of the picture",
            ylabel="correlation" if canonical else "variance retained",
            ylim=(-0.1, 1.02),
        )


def _at(values: Sequence[float], index: int) -> float | None:
    return values[index] if index < len(values) else None


def _mean_at(parts: Sequence[Sequence[float]], index: int) -> float | None:
    values = [part[index] for part in parts if index < len(part)]
    return fmean(values) if values else None
