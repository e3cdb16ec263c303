"""What a description's operations do to tensors (N, C, H, W): pure, differentiable functions."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Operation, Pool, Unpool
from preimage.network.trace import Size

Maps = Float[Tensor, "N C H W"]


def activate(x: Maps, conv: Conv) -> Maps:
    """Definition 5.1's factor, then max(x, 0) + slope · min(x, 0). Overwrites x."""
    if conv.normalised:  # before the activation, which keeps its result for the backward pass
        x = x.mul_(1 / math.sqrt(conv.out_channels))
    if conv.slope == 0:
        return x.relu_()
    return x if conv.slope == 1 else F.leaky_relu_(x, conv.slope)


def commute(conv: Conv, after: Operation | None) -> bool:
    """Whether a pooling behind the activation gives the same bits before it, on fewer pixels.

    A maximum does where the activation does not fall, since rounding does not either.
    """
    return isinstance(after, Pool) and after.kind == "max" and conv.slope >= 0


def convolve(
    x: Maps, weight: Float[Tensor, "D C K K"], bias: Float[Tensor, " D"] | None, conv: Conv
) -> Float[Tensor, "N D h w"]:
    """The convolution (cross-correlation) of `conv`, without its activation."""
    before, after = conv.padding
    if before != after:
        x = F.pad(x, (before, after, before, after))
        before = 0
    return F.conv2d(x, weight, bias, conv.stride, before)


def pool(x: Maps, op: Pool) -> Float[Tensor, "N C h w"]:
    """Max, mean, or root of the sum of squares over windows; clipped windows have fewer pixels."""
    size, stride = op.kernel_size, op.stride
    match op.kind:
        case "max":
            return F.max_pool2d(x, size, stride, ceil_mode=op.ceil)
        case "avg":
            return F.avg_pool2d(x, size, stride, ceil_mode=op.ceil)
        case "l2":
            # Not F.lp_pool2d: in ceil mode it rescales clipped windows to the full size.
            squares = F.avg_pool2d(x.square(), size, stride, ceil_mode=op.ceil, divisor_override=1)
            return squares.sqrt()


def unpool(x: Maps, op: Unpool, size: Size) -> Float[Tensor, "N C h w"]:
    """Upsamples x to `size`, which is at least stride × the size of x, as `Unpool` describes."""
    stride = op.stride
    channels, height, width = x.shape[-3:]
    if op.kind == "zeros":
        out = x.new_zeros(len(x), channels, *size)
        out[:, :, : stride * height : stride, : stride * width : stride] = x
        return out
    if stride > 1:
        interpolate = {"nearest": {"mode": "nearest"}, "bilinear": {"mode": "bilinear"}}[op.kind]
        x = F.interpolate(x, scale_factor=float(stride), **interpolate)  # type: ignore[arg-type]
    below, right = size[0] - x.shape[-2], size[1] - x.shape[-1]
    if below or right:
        # By index: F.pad's replication is limited to the size of x.
        rows = torch.arange(size[0], device=x.device).clamp(max=x.shape[-2] - 1)
        columns = torch.arange(size[1], device=x.device).clamp(max=x.shape[-1] - 1)
        x = x[:, :, rows][:, :, :, columns]
    return x


def apply(x: Maps, op: Operation, size: Size) -> Float[Tensor, "N D h w"]:
    """Any operation without weights, at the output size that `trace.output_size` gives."""
    match op:
        case Pool():
            return pool(x, op)
        case Unpool():
            return unpool(x, op, size)
        case Crop():
            return x[:, :, : size[0], : size[1]]
        case ChannelMean():
            return x.mean(1, keepdim=True)
        case Normalise():
            mean, std = (x.new_tensor(values)[:, None, None] for values in (op.mean, op.std))
            return (x - mean) / std
        case Conv():
            raise TypeError(f"{op.name} needs its weights; use `convolve`.")


def can_fuse(op: Unpool, conv: Conv, in_size: Size, size: Size) -> bool:
    """Whether `unpool_convolve` can replace `op` and the convolution that follows it."""
    whole = size == (op.stride * in_size[0], op.stride * in_size[1])
    return (
        conv.stride == 1
        and op.stride > 1
        and (op.kind == "zeros" or (op.kind == "nearest" and whole))
    )


def unpool_convolve(
    x: Maps,
    weight: Float[Tensor, "D C K K"],
    bias: Float[Tensor, " D"] | None,
    op: Unpool,
    conv: Conv,
    size: Size,
) -> Float[Tensor, "N D h w"]:
    """`convolve(unpool(x, op, size), …)` as one strided transposed convolution.

    Zero insertion is a transposed convolution with a single 1, nearest upsampling one with an s×s
    block of ones. With the convolution that follows it makes one transposed convolution, whose
    kernel is the flipped weight, or its sum over shifts. The inserted zeros are never multiplied:
    with s = 2 and 3×3 kernels, 9/36 (zeros) and 16/36 (nearest) of the products remain.
    """
    stride, kernel = op.stride, transposed_kernel(weight, op)
    before, after = conv.padding
    # The transposed convolution gives (n − 1)·s + K values, starting K_weight − 1 − before early.
    early = conv.kernel_size - 1 - before
    late = [
        length
        + before
        + after
        - conv.kernel_size
        + 1
        - ((n - 1) * stride + kernel.shape[-1] - 2 * early)
        for length, n in zip(size, x.shape[-2:], strict=True)
    ]
    if all(0 <= extra < stride for extra in late):
        return F.conv_transpose2d(
            x, kernel.transpose(0, 1), bias, stride, early, output_padding=tuple(late)
        )
    out = F.conv_transpose2d(x, kernel.transpose(0, 1), None, stride)
    out = F.pad(out, (-early, late[1] - early, -early, late[0] - early))
    return out if bias is None else out + bias[:, None, None]


def transposed_kernel(weight: Float[Tensor, "D C K K"], op: Unpool) -> Float[Tensor, "D C k k"]:
    """The kernel of the transposed convolution of stride `op.stride` that does both."""
    kernel = weight.flip(-2, -1)
    return _block_sums(kernel, op.stride) if op.kind == "nearest" else kernel


def _block_sums(kernel: Float[Tensor, "D C K K"], stride: int) -> Float[Tensor, "D C k k"]:
    """The full correlation of each kernel with a stride × stride block of ones."""
    filters, channels, size, _ = kernel.shape
    grown = size + stride - 1
    # Channels last, as the weights are: the inner loop runs over channels, not a kernel's row.
    sums = kernel.new_zeros(filters, grown, grown, channels).permute(0, 3, 1, 2)
    for i in range(stride):
        for j in range(stride):
            sums[..., i : i + size, j : j + size] += kernel
    return sums
