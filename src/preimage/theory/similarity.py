"""How close the limit is to the image: Theorem 5.4, and its form for many layers.

Φ is the angle between f* and the image x ≥ 0: its channel, or the norm ‖X_t‖ over several channels.
With l2 pooling f*_t ∝ √(Σ_a n_(a,t) x_a²), where n_(a,t) is the number of routes from pixel a to
output pixel t.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network.description import Description
from preimage.network.limit.axis_matrices import window_matrix
from preimage.network.limit.exact import recursion_for
from preimage.network.operations import ChannelMean, Conv
from preimage.network.trace import input_sizes, output_size


class Similarity(NamedTuple):
    """cos Φ and two lower bounds: cosine ≥ corrected_bound ≥ printed_bound.

    Both bounds are proved for every image and network that `cosine_bound` takes. `printed_bound`
    has the form that the paper prints, read so that it is true: padded zeros count in the window
    means.
    """

    cosine: float
    corrected_bound: float
    printed_bound: float


def cosine_bound(description: Description, image: Float[Tensor, "N C H W"]) -> Similarity:
    """Theorem 5.4 for any number of layers: cos Φ and two lower bounds.

        cos Φ = Σ_t x_t z_t / √(M Σ_t z_t²),  z_t = √(Σ_a n_(a,t) x_a²),  M = Σ_t x_t²
              ≥ [Σ_t x_t (Σ_a n_(a,t) x_a)/√R_t] / √(M Σ_a C_a x_a²)      (corrected_bound)
              ≥ (1/M) Σ_t x_t (Σ_a n_(a,t) x_a)/√(max R · max C)            (printed_bound)

    with R_t = Σ_a n_(a,t), C_a = Σ_t n_(a,t). The last line is the paper's form: for one k × k
    convolution R = C = k², and it is 1 − (1/M) Σ ε_t x_t with ε_t = x_t − x̄_t, *padded zeros
    counted* in the window mean x̄_t. Any windows, with an output as large as the image.

    Source: arXiv:1704.00330v3, Theorems 5.4 and A.6, corrected; derived in docs/theory.md.

    Raises:
        ValueError: a negative or black image; a black limit or none; an image that does not fit the
            description; an output of another size; average or max pooling.
    """
    x = channel_norm(image)
    recursion_for(description, image)  # refuses what has no limit
    steps = _window_matrices(description, *image.shape[2:])
    nx, R, C = _forward(steps, x), _forward(steps, np.ones_like(x)), _backward(steps)
    if nx.shape != x.shape:
        raise ValueError(
            f"{description.name} must give an output as large as its input, got {nx.shape} for "
            f"{x.shape}."
        )
    z = np.sqrt(_forward(steps, x**2))
    if not z.any():
        raise ValueError("`image` must not give a black limit: the angle to 0 is undefined.")
    M = (x**2).sum()
    cosine = (x * z).sum() / np.sqrt(M * (z**2).sum())
    # A pixel that no route reaches has z = 0 and adds nothing to either side.
    corrected = (x * nx / np.sqrt(np.maximum(R, 1))).sum() / np.sqrt(M * (C * x**2).sum())
    printed = (x * nx).sum() / (M * np.sqrt(R.max() * C.max()))
    return Similarity(float(cosine), float(corrected), float(printed))


def two_layer_cosine_bound(image: Float[Tensor, "N C H W"], kernel_size: int) -> Similarity:
    """Theorem 5.4: one convolution that keeps the size, and the channel mean.

        cos Φ ≥ 1 − (1/M) Σ_t ε_t x_t,  ε_t = x_t − x̄_t,  M = Σ_t x_t²        (printed_bound)

    with R = C = kernel_size², even for a kernel larger than the image. x̄_t is the sum over the
    window divided by kernel_size², so that padded zeros count; with the mean over the pixels inside
    the image alone, the statement is false. `corrected_bound`, with the routes as they are at the
    border, is sharper.

    Source: arXiv:1704.00330v3, Theorem 5.4, with r the number of pixels of the kernel.

    Raises:
        ValueError: a negative or black image, or an impossible kernel size.
    """
    before = (kernel_size - 1) // 2
    conv = Conv("conv", 1, kernel_size, padding=(before, kernel_size - 1 - before))
    description = Description("two layers", (conv, ChannelMean()), image.shape[1])
    found = cosine_bound(description, image)
    R, C = route_counts(description, *image.shape[2:])
    share = np.sqrt(R.max() * C.max()) / kernel_size**2
    return found._replace(printed_bound=float(found.printed_bound * share))


def channel_norm(image: Float[Tensor, "N C H W"]) -> np.ndarray:
    """x_t = ‖X_t‖ over the channels: the grey image that f* resembles; (H, W), float64.

    Raises:
        ValueError: more than one image, a negative value, or a black image.
    """
    if len(image) != 1:
        raise ValueError(f"`image` must be a single image (1, C, H, W), got {tuple(image.shape)}.")
    if float(image.min()) < 0:
        raise ValueError(
            f"`image` must not be negative, got a minimum of {float(image.min()):.3g}; f* sees "
            "squares only, so don't subtract a mean."
        )
    x: np.ndarray = torch.linalg.vector_norm(image[0].double(), dim=0).cpu().numpy()
    if not x.any():
        raise ValueError("`image` must not be black: the angle to 0 is undefined.")
    return x


def route_counts(
    description: Description, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """R_t, the routes that end at each output pixel, and C_a, those that begin at each pixel.

    Raises:
        ValueError: average or max pooling, bilinear unpooling, or too small an image.
    """
    steps = _window_matrices(description, height, width)
    return _forward(steps, np.ones((height, width))), _backward(steps)


def _window_matrices(
    description: Description, height: int, width: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    sizes = input_sizes(description, height, width)
    steps = []
    for op in description.operations:
        if isinstance(op, ChannelMean):
            continue
        size, out_size = sizes[op.name], output_size(op, sizes[op.name], sizes)
        down, across = (window_matrix(op, n, m) for n, m in zip(size, out_size, strict=True))
        steps.append((down, across))
    return steps


def _forward(steps: list[tuple[np.ndarray, np.ndarray]], x: np.ndarray) -> np.ndarray:
    for down, across in steps:
        x = down @ x @ across.T
    return x


def _backward(steps: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    last_down, last_across = steps[-1]
    x = np.ones((len(last_down), len(last_across)))
    for down, across in reversed(steps):
        x = down.T @ x @ across
    return x


def local_dissimilarity(x: Float[Tensor, "H W"], window: tuple[int, int]) -> Float[Tensor, "H W"]:
    """ε(x)_j = x_j − x̄_m for j ∈ D_m (Lemma A.4): each pixel minus the mean of its window.

    For windows D_m that tile the image. `window_sum_energy` is the lemma itself.

    Source: arXiv:1704.00330v3, Lemma A.4.

    Raises:
        ValueError: the windows do not partition the pixels; ε and the lemma are then undefined.
    """
    height, width = x.shape
    if height % window[0] or width % window[1]:
        raise ValueError(
            f"`window` must partition the {height}×{width} pixels, got {window[0]}×{window[1]}; "
            "for windows that overlap or are clipped use `multilayer_angle_bound`."
        )
    blocks = x.reshape(height // window[0], window[0], width // window[1], window[1])
    return (blocks - blocks.mean((1, 3), keepdim=True)).reshape(height, width)


def window_sum_energy(
    x: Float[Tensor, "H W"], window: tuple[int, int], factor: float = 1.0
) -> float:
    """Lemma A.4: ‖φ(x)‖² = r k² (‖x‖² − ‖ε(x)‖²), with φ(x)_m = k Σ_(j ∈ D_m) x_j.

    For windows D_m of r pixels that partition the image; k is `factor`.

    Source: arXiv:1704.00330v3, Lemma A.4.

    Raises:
        ValueError: as `local_dissimilarity`.
    """
    r, k, e = window[0] * window[1], factor, local_dissimilarity(x, window)
    return float(r * k**2 * (x.square().sum() - e.square().sum()))


def similarity_factor(u: Float[Tensor, "H W"], window: tuple[int, int]) -> float:
    """The paper's λ = (1 − ‖ε(u)‖²/‖u‖²)^(−1/2) for windows that tile the image, u = (z*)².

    Source: arXiv:1704.00330v3, Theorem A.5 (the main text has z* for u, and no norms).

    Raises:
        ValueError: as `local_dissimilarity`; or u is zero, or sums to zero in every window.
    """
    left = u.square().sum() - local_dissimilarity(u, window).square().sum()
    if not left > 0:
        raise ValueError("`u` must have a window whose sum is not zero.")
    return float(torch.linalg.norm(u) / left.sqrt())
