"""The covariance of a network's output pixels at finite width, to leading order.

For networks of convolutions, unpoolings (zeros or nearest) and crops, with only crops after the
last convolution. With a pool in between, the inner products of pooled features have no closed form.
It uses d × d matrices, so it is for small images.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.network.description import Description
from preimage.network.limit.axis_matrices import axis_matrix, window_matrix
from preimage.network.limit.exact import energies, recursion_for
from preimage.network.limit.filters import (
    gaussian_moments,
    relu_correlation,
    relu_square_correlation,
)
from preimage.network.limit.offsets import Recursion, Stage
from preimage.network.operations import Conv, Pool, Unpool

#: The largest d for which d × d matrices are computed.
MOST_PIXELS = 4096


def relative_covariance(
    description: Description, image: Float[Tensor, "N C H W"]
) -> Float[Tensor, "d d"]:
    """Cov(f_i/f*_i, f_j/f*_j) to order 1/width, for Gaussian filters.

        [(K_1 + 1) H − 1]/N_(L−1) + ¼ Σ_I B_i [(K_2 + 1) J_i − 1] B_i' / N_(i+1)

    H and J_i contain h and J of the correlations between the patches that the last convolution and
    convolution i read; the rows of B_i are the shares of convolution i's pixels in the energy of an
    output pixel's patch. Pixels are those of the network's output, row by row (those of the last
    convolution that a later crop leaves). Where a patch is black there is no noise, and the entry
    has no meaning. Exact for two layers. Derived in docs/theory.md, section 4.

    Raises:
        ValueError: a pooling or bilinear unpooling; any unpooling after the last convolution; more
            than `MOST_PIXELS` pixels; or no limit.
    """
    recursion = recursion_for(description, image)
    _check(recursion, description, image)
    relative = _relative_covariance(recursion, image)
    seen = _seen(recursion)
    return relative[seen][:, seen]


def _relative_covariance(recursion: Recursion, image: Tensor) -> Tensor:
    """The same for all pixels of the last convolution's output."""
    x = image[0].double().flatten(1)
    c = x.T @ x
    noise: list[Tensor] = []  # [(K_2 + 1) J − 1]/N of each convolution, carried along
    for stage in (*recursion.hidden, recursion.last):
        if not isinstance(stage.op, Conv):
            down, across = (
                torch.from_numpy(axis_matrix(stage.op, n, m))
                for n, m in zip(stage.size, stage.out_size, strict=True)
            )
            c = _both_sides(torch.kron(down, across), c)
            noise = [_both_sides(torch.kron(down, across), part) for part in noise]
            continue
        p = _patch_products(c, stage, stage.op)
        windows = _dense_windows(stage)
        noise = [_both_sides(windows, part) for part in noise]
        u = p.diagonal()
        zz = (u[:, None] * u).sqrt()
        cos = torch.where(zz > 0, p / zz.clamp(min=torch.finfo(zz.dtype).tiny), 0.0)
        m = gaussian_moments(slope=stage.op.slope)
        width, slope = stage.op.out_channels, stage.op.slope
        if stage is recursion.last:
            uu = u[:, None] * u
            spread = [torch.where(uu > 0, part / uu.clamp(min=1e-300), 0.0) for part in noise]
            relative = ((m.K1 + 1) * relu_correlation(cos, slope) - 1) / width
            return relative + sum(spread, torch.zeros_like(relative)) / 4
        # The absolute noise of S_l S_m, on the scale in which the energies are u.
        own = (m.K2 + 1) * relu_square_correlation(cos, slope) - 1
        noise.append(own / width * u[:, None] * u)
        c = relu_correlation(cos, slope) * zz
    raise AssertionError("a recursion ends in its last convolution")


def mean_square_sine(description: Description, image: Float[Tensor, "N C H W"]) -> float:
    """E sin² Θ to leading order: q'diag(M) − q'Mq, M the `relative_covariance`, q = f*²/‖f*‖².

    Raises:
        ValueError: as `relative_covariance`; or the limit is black.
    """
    m = relative_covariance(description, image)
    q = energies(description, image)[-1].flatten()[_seen(recursion_for(description, image))]
    if not q.any():
        raise ValueError("`image` must not give a black limit: the angle to 0 is undefined.")
    q = q / q.sum()
    return float(q @ m.diagonal() - q @ m @ q)


def _check(recursion: Recursion, description: Description, image: Tensor) -> None:
    if len(image) != 1:
        raise ValueError(f"`image` must be a single image (1, C, H, W), got {tuple(image.shape)}.")
    if recursion.before or any(isinstance(stage.op, Pool) for stage in recursion.hidden):
        raise ValueError(
            f"{description.name} has a pooling or a normalisation: the leading-order "
            "covariance has a closed form for convolutions, unpoolings and crops only; see "
            "`relative_std`."
        )
    for op in recursion.after:
        if isinstance(op, Pool | Unpool):
            raise ValueError(
                f"{op.name} stands behind the last convolution, where the leading-order covariance "
                "is for crops only; leave it out and apply it to the covariance."
            )
    for stage in recursion.hidden:
        if isinstance(stage.op, Unpool):
            window_matrix(stage.op, 1, stage.op.stride)
    largest = max(math.prod(stage.out_size) for stage in (*recursion.hidden, recursion.last))
    if largest > MOST_PIXELS:
        raise ValueError(
            f"`image` makes maps of {largest} pixels; their covariance matrix is made up to "
            f"{MOST_PIXELS}; crop the image."
        )


def _seen(recursion: Recursion) -> Tensor:
    """The indices of the last convolution's output pixels that later crops leave."""
    height, width = recursion.seen_size
    pixels = torch.arange(math.prod(recursion.last.out_size)).reshape(recursion.last.out_size)
    return pixels[:height, :width].flatten()


def _both_sides(matrix: Tensor, c: Tensor) -> Tensor:
    return matrix @ c @ matrix.T


def _dense_windows(stage: Stage) -> Tensor:
    down, across = (
        torch.from_numpy(window_matrix(stage.op, n, m))
        for n, m in zip(stage.size, stage.out_size, strict=True)
    )
    return torch.kron(down, across)


def _patch_products(c: Tensor, stage: Stage, conv: Conv) -> Tensor:
    """P_jk = Σ_s C[D_j,s, D_k,s]: equal slots of both windows."""
    before, after = conv.padding
    maps = F.pad(c.reshape(*stage.size, *stage.size), (before, after) * 4)
    height, width = stage.out_size
    ends = ((height - 1) * conv.stride + 1, (width - 1) * conv.stride + 1)
    total = torch.zeros(height, width, height, width, dtype=c.dtype)
    for y in range(conv.kernel_size):
        for x in range(conv.kernel_size):
            rows = slice(y, y + ends[0], conv.stride)
            columns = slice(x, x + ends[1], conv.stride)
            total += maps[rows, columns, rows, columns]
    return total.reshape(height * width, -1)
