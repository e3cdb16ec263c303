"""Features brought to one scale in every direction, so that small ones count as much as large ones.

The channels of a random layer are nearly copies of one another: nine tenths of their variance may
lie in one direction, and what tells the photo lies in the others. Descent on plain features sees
the one direction; on whitened features it sees them all.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_FLOOR = 1e-4


@dataclass(frozen=True)
class Whitening:
    """f ↦ W (f − mean) per position, or of the whole vector.

    W = (S + ε)^(−1/2) D⁻¹ with D the channels' standard deviations, S their correlations and
    ε a fraction of the mean eigenvalue of S, which is 1: directions of less variance than that are
    not raised to one scale, since they may be rounding.
    """

    mean: Float[Tensor, " C"]
    matrix: Float[Tensor, "C C"]

    def __call__(self, features: Float[Tensor, "N C ..."]) -> Float[Tensor, "N C ..."]:
        """Of maps (N, C, h, w) or vectors (N, C)."""
        rows = features.movedim(1, -1).to(self.matrix.dtype) - self.mean
        whitened: Tensor = (rows @ self.matrix.T).movedim(-1, 1)
        return whitened


def whitening(features: Float[Tensor, "N C ..."], floor: float = _FLOOR) -> Whitening:
    """The whitening of some photos' maps or vectors, in float32.

    Args:
        floor: ε above.
    """
    rows = features.movedim(1, -1).flatten(0, -2).double()
    mean = rows.mean(0)
    rows = rows - mean
    std = rows.square().mean(0).sqrt()
    # As in `probing.linear.standard`: what varies less than rounding is constant.
    std = torch.where(std <= 1e-7 * mean.abs(), torch.ones_like(std), std).clamp(min=1e-30)
    correlations = (rows.T @ rows) / len(rows) / torch.outer(std, std)
    values, directions = torch.linalg.eigh(correlations)
    matrix = (directions * (values.clamp(min=0) + floor).rsqrt()) @ directions.T / std
    return Whitening(mean.float(), matrix.float())
