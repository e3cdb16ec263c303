"""How far a network of finite width is from its limit: every bound with its conditions.

Θ is the angle between the output f and f*, N_i the number of channels of layer i, and
K_1 = π − 1, K_2 = 5 for Gaussian filters and ReLU. Everything here assumes isotropic filters
(Gaussian filters are; the other laws are as their fan-in grows), l2 pooling, and unpooling with
zeros or nearest. Angles depend neither on the scale of the weights nor on the normalisation of
Definition 5.1.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from preimage.network.description import Description
from preimage.network.laws import Law
from preimage.network.limit.axis_matrices import window_matrix
from preimage.network.limit.exact import energies, limit, recursion_for
from preimage.network.limit.filters import Moments, gaussian_moments
from preimage.network.limit.offsets import Stage, split
from preimage.network.operations import Conv, Operation, Pool, Unpool


@dataclass(frozen=True)
class Variances:
    """The relative variance that each layer adds: K_1/N for the last convolution, else K_2/N.

    Theorem V, the energy law and the standard deviation depend on nothing else.
    """

    last: float
    hidden: tuple[float, ...]

    @property
    def total(self) -> float:
        """T = K_1^(L−2)/N_(L−1) + Σ_I K_2^(i)/N_(i+1), the paper's (L − 1)/N̄."""
        return self.last + sum(self.hidden)

    @property
    def energy_spread(self) -> float:
        """V = Π_I (1 + K_2^(i)/N_(i+1)) − 1, with E(u_j/u*_j − 1)² ≤ V."""
        return math.prod((1 + v for v in self.hidden), start=1.0) - 1

    @property
    def product(self) -> float:
        """Π = (1 + K_1^(L−2)/N_(L−1)) (1 + V)."""
        return (1 + self.last) * (1 + self.energy_spread)


def layer_variances(description: Description, moments: Moments | None = None) -> Variances:
    """The relative variances of a description's convolutions at its widths.

    Args:
        moments: of one weight of an isotropic law, for ReLU (*before* the activation); the
            Gaussian's by default. Each convolution's slope is taken into account.

    Raises:
        ValueError: no limit; a pooling or unpooling for which the theorems do not hold; or any
            pooling, or bilinear unpooling, after the last convolution.
    """
    moments = moments or gaussian_moments()
    _, hidden, last, after = split(description)
    _check_behind(after)
    for op in hidden:
        _check_sums_of_squares(op)
    convs = [op for op in hidden if isinstance(op, Conv)]
    return Variances(
        moments.with_slope(last.slope).K1 / last.out_channels,
        tuple(moments.with_slope(conv.slope).K2 / conv.out_channels for conv in convs),
    )


def mean_square_sine_bound(description: Description, moments: Moments | None = None) -> float:
    """Theorem V: E sin² Θ ≤ 1 − 1/Π ≤ T, Π = (1 + K_1/N_(L−1)) Π_I (1 + K_2/N_(i+1)).

    Any windows, padding, strides and overlaps; ReLU or leaky ReLU; isotropic filters; l2 pooling.
    It does not depend on the image and replaces Theorem 5.3. Derived in docs/theory.md, section 4.

    Raises:
        ValueError: as `layer_variances`.
    """
    return 1 - 1 / layer_variances(description, moments).product


def angle_bound(description: Description, delta: float, moments: Moments | None = None) -> float:
    """Theorem V: with probability ≥ 1 − δ, sin Θ ≤ √((1 − 1/Π)/δ) ≤ √(T/δ).

    Of order width^(−1/2), where Theorem 5.3 is of order width^(−1/4). Derived in docs/theory.md.

    Raises:
        ValueError: δ not between 0 and 1; and as `layer_variances`.
    """
    return math.sqrt(mean_square_sine_bound(description, moments) / check_probability(delta))


def energy_ratio(description: Description, moments: Moments | None = None) -> float:
    """E f_j²/f*_j² = 1 + K_1/N_(L−1) exactly, for each pixel, whatever the image and the depth.

    Conditions as for Theorem V. Derived in docs/theory.md, section 4.
    """
    return 1 + layer_variances(description, moments).last


def mean_bracket(description: Description, moments: Moments | None = None) -> tuple[float, float]:
    """Bounds on E f_j/f*_j for each pixel: (1 + V)^(−1/2) and 1.

    Equal to 1 for two layers (V = 0). Conditions as for Theorem V. Derived in docs/theory.md.
    """
    return (1 + layer_variances(description, moments).energy_spread) ** -0.5, 1.0


def relative_variance_bound(description: Description, moments: Moments | None = None) -> float:
    """Var f_j/f*_j² ≤ 1 + K_1/N_(L−1) − 1/(1 + V), for each pixel.

    Conditions as for Theorem V. Derived in docs/theory.md, section 4.
    """
    variances = layer_variances(description, moments)
    return 1 + variances.last - 1 / (1 + variances.energy_spread)


def relative_std(description: Description, moments: Moments | None = None) -> float:
    """√(K_1/N_(L−1) + ¼ Σ_I K_2/N_(i+1)): the practical value of std f_j/f*_j.

    Exact for two layers. To leading order exact for a constant patch, otherwise slightly high: by
    5 % to 15 % for VGG16's first two blocks. Unlike the bounds it is also defined for average and
    max pools inside the network, but as an empirical rule without proof. Derived in docs/theory.md.

    Args:
        moments: as in `layer_variances`.

    Raises:
        ValueError: no limit; or any pooling, or bilinear unpooling, after the last convolution.
    """
    moments = moments or gaussian_moments()
    _, hidden, last, after = split(description)
    _check_behind(after)
    spread = sum(
        moments.with_slope(op.slope).K2 / op.out_channels for op in hidden if isinstance(op, Conv)
    )
    return math.sqrt(moments.with_slope(last.slope).K1 / last.out_channels + spread / 4)


def std_image(
    description: Description,
    image: Float[Tensor, "N C H W"],
    law: Law | str = "gaussian:fan-in",
    moments: Moments | None = None,
) -> Float[Tensor, "N 1 h w"]:
    """The predicted standard deviation of each output pixel: its limit times `relative_std`.

    With average pools inside the network it is an empirical rule, like `relative_std`.

    Args:
        moments: as in `layer_variances`, used for the relative deviation only.

    Raises:
        ValueError: as `limit` and `relative_std`.
    """
    return limit(description, image, law).abs() * relative_std(description, moments)


class MultilayerBound(NamedTuple):
    """Theorem 5.3's bound on sin Θ, and its parts.

    `within_conditions` says whether the statement behind the number is proved for this network.
    """

    bound: float
    total: float  # T
    lambdas: tuple[float, ...]  # λ_0 … λ_(L−2)
    within_conditions: bool


def multilayer_angle_bound(
    description: Description,
    image: Float[Tensor, "N C H W"],
    delta: float,
    *,
    printed: bool = False,
    moments: Moments | None = None,
) -> MultilayerBound:
    """Theorem 5.3, corrected: with probability ≥ 1 − δ,

        sin Θ ≤ √(T/δ) + √(n √(T/δ) Π_(i=0)^(L−2) λ_i)
        λ_i = √(R_row R_col) ‖u*^(i)‖/‖A^(i+1) u*^(i)‖,  λ_(L−2) = √d ‖u*^(L−2)‖/Σ_j u*_j^(L−2)

    with n hidden convolutions, A^(i+1) the window matrix of operation i + 1, and R_row, R_col its
    largest row and column sums on the support of u*. It needs no condition on windows or routes.
    With `printed`, L − 2 replaces n as in the paper and nothing else changes: λ is still the
    corrected one, which equals the paper's if the windows partition the pixels. The paper's proof
    needs them to; `within_conditions` says whether they do. Of order width^(−1/4) and often above
    1; `angle_bound` is never worse than the first term.

    Source: arXiv:1704.00330v3, Theorems 5.3 and A.5; the correction is derived in docs/theory.md.

    Raises:
        ValueError: δ not between 0 and 1; several images; a black output; and as `layer_variances`.
    """
    check_probability(delta)
    variances = layer_variances(description, moments)
    lambdas, partition = _lambdas(description, image)
    stages = recursion_for(description, image).hidden
    count = len(stages) if printed else len(variances.hidden)
    first = math.sqrt(variances.total / delta)
    bound = first + math.sqrt(count * first * math.prod(lambdas))
    return MultilayerBound(bound, variances.total, lambdas, partition or not printed)


def _lambdas(description: Description, image: Tensor) -> tuple[tuple[float, ...], bool]:
    """λ_0 … λ_(L−2), and whether all windows of operations 1 to L − 2 partition their pixels."""
    if len(image) != 1:
        raise ValueError(f"`image` must be a single image (1, C, H, W), got {tuple(image.shape)}.")
    recursion = recursion_for(description, image)
    for op in recursion.after:
        if isinstance(op, Unpool | Pool):
            raise ValueError(
                f"{op.name} stands behind the last convolution; Theorem 5.3 is for networks whose "
                "last operation is a convolution, and a crop at the most."
            )
    u = energies(description, image)[0][0].numpy()
    lambdas, partition = [], True
    for stage in (*recursion.hidden[1:], recursion.last):
        down, across = _windows(stage)
        following = down @ u @ across.T
        support = u > 0
        if not support.any():
            raise ValueError("`image` must not be black: the angle to 0 is undefined.")
        rows = (down @ support @ across.T).max()
        columns = np.outer(down.sum(0), across.sum(0))[support].max()
        contrast = np.linalg.norm(u) / np.linalg.norm(following)
        lambdas.append(float(math.sqrt(rows * columns) * contrast))
        partition = partition and _is_partition(down, across)
        u = following
    height, width = recursion.seen_size
    seen = u[:height, :width]
    lambdas.append(float(math.sqrt(seen.size) * np.linalg.norm(u) / seen.sum()))
    return tuple(lambdas), partition


def _is_partition(down: np.ndarray, across: np.ndarray) -> bool:
    """Whether the windows are disjoint, of equal size, and cover every pixel."""
    return all((m.sum(0) == 1).all() and (m.sum(1) == m.sum(1)[0]).all() for m in (down, across))


def _windows(stage: Stage) -> tuple[np.ndarray, np.ndarray]:
    down, across = (
        window_matrix(stage.op, n, m) for n, m in zip(stage.size, stage.out_size, strict=True)
    )
    return down, across


def _check_sums_of_squares(op: object) -> None:
    if isinstance(op, Pool | Unpool):
        window_matrix(op, 1, 1)


def _check_behind(after: tuple[Operation, ...]) -> None:
    for op in after:
        if isinstance(op, Pool) or (isinstance(op, Unpool) and op.kind == "bilinear"):
            raise ValueError(
                f"{op.name} ({op.kind}) stands behind the last convolution: it mixes or chooses "
                "among noisy pixels, for which none of this holds."
            )


def check_probability(delta: float) -> float:
    """Returns `delta`, which must be strictly between 0 and 1.

    Raises:
        ValueError: it is not.
    """
    if not 0 < delta < 1:
        raise ValueError(f"`delta` must be strictly between 0 and 1, got {delta}.")
    return delta
