"""A description as boxes: what each operation is, and the shape of what it gives."""

from functools import lru_cache
from typing import Any

from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Operation, Pool, Unpool
from preimage.network.trace import Step, trace


@lru_cache(64)
def steps(network: Description, side: int) -> tuple[Step, ...]:
    """`trace` of a square photo; costs and boxes both ask, and so do previews.

    Raises:
        ValueError: the photo is too small.
    """
    return tuple(trace(network, side, side))


def boxes(encoder: Description, decoder: Description | None, side: int) -> dict[str, Any]:
    """A box per operation, those of the CNN first, and the totals.

    Args:
        decoder: None if it is none of ours, as a least-squares decoder.
    """
    network = encoder if decoder is None else encoder + decoder
    found = steps(network, side)
    return {
        "input": [network.in_channels, side, side],
        "encoder": len(encoder.operations),
        "boxes": [
            {
                "name": step.operation.name,
                "kind": step.operation.op,
                "what": what(step.operation),
                "shape": [step.channels, step.height, step.width],
            }
            for step in found
        ],
        "parameters": sum(step.parameters for step in found),
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
