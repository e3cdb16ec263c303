"""The first reading of a description: the operations of its DCN (Section 2.1).

The sequence of layers is inverted, as in Dosovitskiy & Brox (2016). A convolution is mirrored by
one with the same kernel size that restores the number of channels, a pooling by an unpooling. A
convolution that changes the size (by a stride, or by missing padding) is mirrored by its transpose,
whatever the kind of unpooling: insert zeros, then convolve with the same kernel size. The
convolution that ends in the image is linear. A normalisation is undone. The surplus rows and
columns of ceil mode are carried along and cropped once, at the end.
"""

from collections.abc import Sequence

from preimage.network.operations import Conv, Crop, Normalise, Operation, Pool, Unpool, UnpoolKind


def mirror_operations(
    operations: Sequence[Operation], in_channels: Sequence[int], unpool: UnpoolKind
) -> tuple[Operation, ...]:
    """The operations that lead from the output of an encoder back to its input.

    Args:
        operations: those of the encoder, at least one convolution among them.
        in_channels: the number of input channels of each of them.
        unpool: the kind of unpooling that mirrors a pooling.

    Raises:
        ValueError: an operation that has no mirror, or no such kind of unpooling.
    """
    Unpool("unpool", unpool)  # refuses an unknown kind, with or without pools
    first = next(op for op in operations if isinstance(op, Conv))
    mirrored: list[Operation] = []
    for op, channels in reversed(list(zip(operations, in_channels, strict=True))):
        match op:
            case Conv():
                if op.stride > 1 or sum(op.padding) != op.kernel_size - 1:
                    mirrored.append(Unpool(f"un{op.name}", "zeros", op.stride, like=op.name))
                mirrored.append(_mirrored_conv(op, channels, output=op is first))
            case Pool():
                mirrored.append(Unpool(f"un{op.name}", unpool, op.stride, like=op.name))
            case Normalise():
                mirrored.append(op.inverse(f"de{op.name}"))
            case _:
                raise ValueError(f"{op.op} {op.name!r} has no mirror.")
    if any(isinstance(op, Unpool) for op in mirrored):
        mirrored.append(Crop())
    return tuple(mirrored)


def _mirrored_conv(conv: Conv, in_channels: int, output: bool) -> Conv:
    # A transposed convolution pads by as much as the kernel exceeds the original padding.
    before, _ = conv.padding
    return Conv(
        f"de{conv.name}",
        in_channels,
        conv.kernel_size,
        padding=(conv.kernel_size - 1 - before, before),
        slope=1.0 if output else conv.slope,
        bias=conv.bias,
        output=output,
    )
