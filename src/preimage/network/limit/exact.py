"""The infinite-width output of a random CNN-DCN, exactly (Theorems 5.1, A.1 and A.7).

The fourth reading of a description. As the widths grow, the inner products of the features of any
two pixels p and p + d tend to fixed maps D_d(p), and the channel mean to f* = k_1 √u, u the sum of
D_0 over the last convolution's window. A convolution needs the same offsets as its output, l2
pooling only d = 0, average pooling a window of offsets around each. So only the offsets that later
pools mix are ever computed: 961 for VGG16's Conv5 with four average pools.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network import layers
from preimage.network.description import Description
from preimage.network.laws import Law
from preimage.network.limit.filters import Moments, gaussian_moments
from preimage.network.limit.max_pooling import Directions, pool_windows
from preimage.network.limit.offsets import Recursion, backward_pass
from preimage.network.limit.stream import Rows, convolve, image_rows, mix, sum_squares, window_means
from preimage.network.operations import Conv, Operation, Pool
from preimage.network.trace import output_size


def limit(
    description: Description,
    image: Float[Tensor, "N C H W"],
    law: Law | str = "gaussian:fan-in",
    *,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "N 1 h w"]:
    """f*: what the output of `build(description.with_width(n), law)` tends to as n grows.

        l2 pooling:       f*_t = k √(Σ_l n_(l,t) ‖X_l‖²),  n the number of routes from l to t
        average pooling:  f*_t = k_1 √u_t,  u from C' = k_2 h(P_jk/√(u_j u_k)) √(u_j u_k)

    Exact for any kernels, strides, (leaky) ReLU slopes, l2 or average pools (overlapping or
    clipped), unpooling by zeros, nearest and bilinear, and crops. Convolutions without Definition
    5.1's factor 1/√channels, and laws whose scale depends on the fan-in, have a limit only up to
    its brightness, which is then given at the widths of the description. Laws other than the
    Gaussian are replaced by the Gaussian of the same standard deviation, which is exact as the
    fan-in grows. The fan-in of the first convolution does not grow with the width, so a relative
    correction of about κS/24 (`iid_moments`; 1e-3 for photos) remains for two layers, and for
    average or max pooling through its h.

    Source: arXiv:1704.00330v3, Theorems 5.1, A.1 (with k corrected) and A.7; the algorithm is
    derived in docs/theory.md, section 2.

        >>> import torch
        >>> from preimage import vgg16
        >>> from preimage.theory import limit
        >>> encoder = vgg16().cut("conv2").with_pool("avg")
        >>> network = (encoder + encoder.mirror("nearest")).with_mean_head().with_normalisation()
        >>> limit(network, torch.ones(1, 3, 31, 20), "gaussian:0.1").shape
        torch.Size([1, 1, 31, 20])

    Args:
        image: any scale. Only inner products of pixels matter, so negative values (a subtracted
            mean) give a picture of local energy, not of the image.
        dtype: float32 halves time and memory (relative error about 1e-6). Features stay in range
            at any scale of the weights, since their common scale is kept apart.

    Raises:
        ValueError: there is no limit (a random last convolution) or no closed form (l2 before
            average pooling, or max pooling, for which there is `sampled_limit`), with the reason;
            or the image does not fit the description.
    """
    recursion = recursion_for(description, image)
    _refuse_max(recursion)
    return run_recursion(recursion, image, law, dtype)


def energies(
    description: Description, image: Float[Tensor, "N C H W"], law: Law | str = "gaussian:fan-in"
) -> list[Float[Tensor, "N h w"]]:
    """u*^(i) of each random convolution in order: the squared norms of the patches it reads.

    On the scale of `limit`; the last one gives f* = k_1 √u*. Raises the same errors as `limit`.
    """
    recursion = recursion_for(description, image)
    _refuse_max(recursion)
    found: list[Tensor] = []
    _run(recursion, image.double(), Law.parse(law) if isinstance(law, str) else law, None, found)
    return found


def conv_moments(recursion: Recursion, conv: Conv, law: Law) -> Moments:
    """The moments of one convolution in the limit: the Gaussian equivalents, with its slope."""
    fan_in = recursion.in_channels(conv) * conv.kernel_size**2
    return gaussian_moments(law.std(fan_in, conv.slope), conv.slope)


def recursion_for(description: Description, image: Tensor) -> Recursion:
    """The recursion for an image, once its shape has been checked.

    Raises:
        ValueError: the image has the wrong number of channels, or there is no limit.
    """
    if image.ndim != 4 or image.shape[1] != description.in_channels:
        raise ValueError(
            f"`image` must be (N, {description.in_channels}, H, W) for {description.name}, got "
            f"{tuple(image.shape)}."
        )
    return backward_pass(description, image.shape[2], image.shape[3])


def _refuse_max(recursion: Recursion) -> None:
    for stage in recursion.hidden:
        if isinstance(stage.op, Pool) and stage.op.kind == "max":
            raise ValueError(
                f"{stage.op.name}: max pooling has a limit but no closed form; use "
                "`sampled_limit`, which gives its standard error, `limit_bracket`, or "
                "`with_pool('avg')` or `with_pool('l2')`."
            )


def run_recursion(
    recursion: Recursion,
    image: Tensor,
    law: Law | str,
    dtype: torch.dtype,
    directions: Directions | None = None,
) -> Float[Tensor, "N 1 h w"]:
    """f* by a recursion; `directions` are the samples for its max pools, if it has any."""
    law = Law.parse(law) if isinstance(law, str) else law
    f = _run(recursion, image.to(dtype), law, directions, [])[:, None]
    return apply_all(recursion.after, f, recursion)


@torch.no_grad()
def _run(
    recursion: Recursion, x: Tensor, law: Law, directions: Directions | None, found: list[Tensor]
) -> Float[Tensor, "N h w"]:
    """k_1 √u*; appends u* of each convolution to `found`."""
    scale = _Scale(recursion, law)
    stages = (*recursion.hidden, recursion.last)
    rows = image_rows(apply_all(recursion.before, x, recursion), stages[0].needed)
    pending: list[tuple[Tensor, Conv]] = []
    slope = 0.0
    for stage, following in pairwise(stages):
        match stage.op:
            case Conv() as conv:
                is_gaussian = isinstance(following.op, Pool) and following.op.kind == "max"
                rows = _keep_energy(convolve(rows, stage, conv, is_gaussian), pending, conv)
                slope = conv.slope
            case Pool(kind="l2") as pool:
                rows = sum_squares(rows, pool)
            case Pool(kind="max") as pool:
                assert directions is not None
                rows = pool_windows(rows, stage, pool, slope, directions)
            case _:
                rows = mix(rows, stage)
    conv = recursion.convs[-1]
    ((_, row),) = rows
    pending.append((window_means(row, conv, recursion.last.out_size)[0], conv))
    for u, at in pending:
        found.append(u.double() * math.exp(scale.advance(at)))
    k1 = conv_moments(recursion, conv, law).k1
    # Definition 5.1 leaves the last convolution unnormalised; if it is not, the output shrinks.
    k1 /= math.sqrt(conv.out_channels) if conv.normalised else 1.0
    # In float64, whatever the type of the maps: σ = 0.015 in 26 convolutions gives 1e-38.
    return pending[-1][0].double().sqrt() * (k1 * math.exp(scale.last / 2))


def _keep_energy(
    rows: Iterator[tuple[int, Tensor]], kept: list[tuple[Tensor, Conv]], conv: Conv
) -> Rows:
    # Rows are pulled from the end, so the first convolution's energy arrives first.
    for dy, row in rows:
        if dy < 0:
            kept.append((row, conv))
        else:
            yield dy, row


class _Scale:
    """The logarithm of the energy's common factor, kept apart from the maps.

    With σ = 0.015 each convolution costs three orders of magnitude, so a few dozen would leave the
    range of float32. The maps are computed as if k_2 were 1/kernel_size².
    """

    def __init__(self, recursion: Recursion, law: Law) -> None:
        self.recursion, self.law, self.log, self.last = recursion, law, 0.0, 0.0

    def advance(self, conv: Conv) -> float:
        """The factor's logarithm for the patches that `conv` reads; then adds its own gain."""
        area = conv.kernel_size**2
        self.last = self.log + math.log(area)
        gain = conv_moments(self.recursion, conv, self.law).k2 * area
        self.log += math.log(gain if conv.normalised else gain * conv.out_channels)
        return self.last


def apply_all(ops: tuple[Operation, ...], x: Tensor, recursion: Recursion) -> Tensor:
    """The operations without randomness, as the network itself applies them."""
    for op in ops:
        size = output_size(op, recursion.sizes[op.name], recursion.sizes)
        x = layers.apply(x, op, size)
    return x
