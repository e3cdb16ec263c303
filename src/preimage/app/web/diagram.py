"""A description as boxes: what each operation is, and the shape of what it gives."""

from functools import lru_cache
from typing import Any, NamedTuple

from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Operation, Pool, Unpool
from preimage.network.trace import Size, input_sizes, output_size


class Step(NamedTuple):
    """One operation on one photo."""

    operation: Operation
    in_channels: int
    channels: int
    size: Size

    @property
    def weights(self) -> int:
        """Of a convolution, its bias aside."""
        op = self.operation
        return self.channels * self.in_channels * op.kernel_size**2 if isinstance(op, Conv) else 0

    @property
    def multiply_adds(self) -> int:
        """Of a convolution; products with padded and inserted zeros count."""
        return self.weights * self.size[0] * self.size[1]


@lru_cache(64)
def steps(network: Description, side: int) -> tuple[Step, ...]:
    """All operations on a square photo; costs and boxes both ask, and so do previews.

    Not `trace`, which follows output pixels back: a crafted description would keep it for ever.

    Raises:
        ValueError: the photo is too small.
    """
    sizes = input_sizes(network, side, side)
    return tuple(
        Step(op, before, after, output_size(op, sizes[op.name], sizes))
        for op, before, after in zip(
            network.operations, network.channels[:-1], network.channels[1:], strict=True
        )
    )


def boxes(network: Description, num_encoder: int, side: int) -> dict[str, Any]:
    """A box per operation, and the totals.

    Args:
        num_encoder: the operations that are the CNN's; those behind them are the DCN's.
    """
    found = steps(network, side)
    return {
        "input": [network.in_channels, side, side],
        "encoder": num_encoder,
        "boxes": [
            {
                "name": step.operation.name,
                "kind": step.operation.op,
                "what": what(step.operation),
                "shape": [step.channels, *step.size],
            }
            for step in found
        ],
        "parameters": sum(step.weights for step in found),
        "multiply_adds": sum(step.multiply_adds for step in found),
    }


def what(op: Operation) -> str:
    """An operation in a word or two."""
    match op:
        case Conv():
            stride = f", stride {op.stride}" if op.stride > 1 else ""
            return f"{op.kernel_size}×{op.kernel_size}{stride}, {_activation(op)}"
        case Pool():
            return f"{op.kind} pooling {op.kernel_size}×{op.kernel_size}"
        case Unpool():
            return f"{op.kind} ×{op.stride}"
        case Crop():
            return "to the photo's size"
        case ChannelMean():
            return "over channels"
        case Normalise():
            return "(x − mean) / std"


def _activation(conv: Conv) -> str:
    if conv.output or conv.slope == 1:
        return "linear"
    return "ReLU" if conv.slope == 0 else f"leaky {conv.slope:g}"
