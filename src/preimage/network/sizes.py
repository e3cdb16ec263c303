"""The size that one operation makes of another."""

from collections.abc import Mapping

from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Operation, Pool, Unpool

Size = tuple[int, int]


def output_length(op: Operation, length: int, like: int = 0) -> int:
    """The output size of `op` along one axis for an input of size `length`; 0 if impossible.

    `like` is the input size of the operation that an `Unpool` or a `Crop` refers to.
    """
    match op:
        case Conv():
            room = length + sum(op.padding) - op.kernel_size
            return room // op.stride + 1 if room >= 0 else 0
        case Pool(ceil=False):
            room = length - op.kernel_size
            return room // op.stride + 1 if room >= 0 else 0
        case Pool():
            count = max(-(-(length - op.kernel_size) // op.stride) + 1, 0)
            # A window must begin inside the image.
            return count - 1 if (count - 1) * op.stride >= length else count
        case Unpool():
            return max(op.stride * length, like)
        case Crop():
            return like if length >= like else 0
        case ChannelMean() | Normalise():
            return length


def output_size(op: Operation, size: Size, sizes: Mapping[str, Size]) -> Size:
    """(height, width) of the output of `op`; `sizes` has the input sizes of earlier operations.

    Raises:
        ValueError: the input is too small for `op`, or `sizes` lacks what `op` refers to.
    """
    like = (0, 0)
    if isinstance(op, Unpool | Crop):
        if op.like not in sizes:
            raise ValueError(
                f"{op.name} needs the size that {op.like!r} took in; a DCN without its CNN takes "
                "them as `sizes` (see `preimage.network.trace.input_sizes`)."
            )
        like = sizes[op.like]
    height, width = (output_length(op, *lengths) for lengths in zip(size, like, strict=True))
    if min(height, width) < 1:
        raise ValueError(f"{op.name} cannot take an input of {size[0]}×{size[1]} pixels.")
    return height, width
