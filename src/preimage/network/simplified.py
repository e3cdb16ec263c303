"""The simplified network of Figure 7, second row: the image goes directly to the last block."""

from collections.abc import Sequence
from dataclasses import replace

from preimage.network.operations import Conv, Normalise, Operation, Pool, block_of


def simplified_operations(operations: Sequence[Operation], resize: bool) -> tuple[Operation, ...]:
    """The last block alone, behind the input's normalisation.

    With `resize`, every pooling and stride before the block stays as an average pooling, so that
    the block works at the size that it has in the whole network. At least one convolution is
    needed.
    """
    convs = [index for index, op in enumerate(operations) if isinstance(op, Conv)]
    last = block_of(operations[convs[-1]])
    start = next(i for i, op in enumerate(operations) if block_of(op) == last)
    before = [op for op in operations[:start] if isinstance(op, Conv | Pool)]
    shrink = [_average_pool(op) for op in before if op.stride > 1] if resize else []
    normalise = [op for op in operations[: convs[0]] if isinstance(op, Normalise)]
    return (*normalise, *shrink, *operations[start:])


def _average_pool(op: Conv | Pool) -> Pool:
    """What replaces a strided operation: the same output size, the same centre."""
    match op:
        case Pool():
            return replace(op, kind="avg")
        case Conv():
            kernel_size = max(op.kernel_size - sum(op.padding), 1)
            return Pool(f"{op.name}_pool", "avg", kernel_size, op.stride, ceil=False)
