"""What follows from a description and an input size: shapes, parameters, FLOPs (Table 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from preimage.network.description import Description
from preimage.network.operations import (
    DATA,
    Conv,
    Normalise,
    Operation,
    Pool,
    Unpool,
    block_of,
)
from preimage.network.sizes import Size as Size
from preimage.network.sizes import output_length
from preimage.network.sizes import output_size as output_size


@dataclass(frozen=True)
class Step:
    """One operation at one input size.

    `multiply_adds` counts all products of a convolution, including those with padded and inserted
    zeros. `receptive_field` is the side, in pixels of the network's input, of the
    largest square that one output pixel sees, ignoring borders.
    """

    operation: Operation
    channels: int
    height: int
    width: int
    parameters: int
    multiply_adds: int
    receptive_field: int

    @property
    def dimension(self) -> int:
        """The number of values: channels × height × width."""
        return self.channels * self.height * self.width


def input_sizes(
    description: Description, height: int, width: int, sizes: Mapping[str, Size] | None = None
) -> dict[str, Size]:
    """The input (height, width) of each operation by name; `data` is the input of the network.

    For a DCN alone, `sizes` are those of its CNN.

    Raises:
        ValueError: the input is too small; the message names the smallest size that is not.
    """
    known = {DATA: (height, width), **(sizes or {})}
    size = (height, width)
    for op in description.operations:
        known[op.name] = size
        try:
            size = output_size(op, size, known)
        except ValueError as error:
            if sizes is None and (least := least_size(description)) > min(height, width):
                raise ValueError(
                    f"{description.name} needs an input of at least {least}×{least} pixels, got "
                    f"{height}×{width}."
                ) from error
            raise
    return known


def feature_size(description: Description, size: Size) -> Size:
    """(height, width) of the features of photos of this size.

    Raises:
        ValueError: the photos are too small.
    """
    sizes = input_sizes(description, *size)
    last = description.operations[-1]
    return output_size(last, sizes[last.name], sizes)


def least_size(description: Description, limit: int = 4096) -> int:
    """The side of the smallest square input that every operation can take, at most `limit`."""
    return next((length for length in range(1, limit) if _takes(description, length)), limit)


def _takes(description: Description, length: int) -> bool:
    lengths = {DATA: length}
    for op in description.operations:
        lengths[op.name] = length
        length = output_length(op, length, lengths.get(getattr(op, "like", DATA), 0))
        if length < 1:
            return False
    return True


def trace(
    description: Description, height: int, width: int, sizes: Mapping[str, Size] | None = None
) -> list[Step]:
    """One `Step` per operation, for an input of this size.

    Raises:
        ValueError: the input is too small; the message names the smallest size that is not.
    """
    known = input_sizes(description, height, width, sizes)
    steps = []
    for index, op in enumerate(description.operations):
        out_height, out_width = output_size(op, known[op.name], known)
        in_channels, out_channels = description.channels[index : index + 2]
        kernel = in_channels * op.kernel_size**2 if isinstance(op, Conv) else 0
        steps.append(
            Step(
                operation=op,
                channels=out_channels,
                height=out_height,
                width=out_width,
                parameters=out_channels * (kernel + op.bias) if isinstance(op, Conv) else 0,
                multiply_adds=out_channels * kernel * out_height * out_width,
                receptive_field=receptive_field(description.operations[: index + 1]),
            )
        )
    return steps


def receptive_field(operations: tuple[Operation, ...]) -> int:
    """The most input pixels along one axis that one output pixel sees, ignoring borders.

    Exact: an output pixel is traced back to the interval that it reads, for every phase that the
    unpoolings can give it.
    """
    period = prod(op.stride for op in operations if isinstance(op, Unpool))
    spans = []
    for pixel in range(period):
        first = last = pixel
        for op in reversed(operations):
            first, last = _read(op, first, last)
        spans.append(last - first + 1)
    return max(spans)


def _read(op: Operation, first: int, last: int) -> tuple[int, int]:
    """The interval of pixels that the output pixels from `first` to `last` read."""
    if last < first:  # only inserted zeros
        return first, last
    match op:
        case Conv():
            start = -op.padding[0]
            return op.stride * first + start, op.stride * last + start + op.kernel_size - 1
        case Pool():
            return op.stride * first, op.stride * last + op.kernel_size - 1
        case Unpool(kind="zeros"):
            return -(-first // op.stride), last // op.stride
        case Unpool(kind="nearest"):
            return first // op.stride, last // op.stride
        case Unpool():  # bilinear: output pixel j lies at (j + 1/2)/stride − 1/2
            half = 2 * op.stride
            return (
                (2 * first + 1 - op.stride) // half,
                -((-(2 * last + 1 - op.stride)) // half),
            )
        case _:
            return first, last


class Alignment(NamedTuple):
    """Which block of input pixels corresponds to a pixel of a feature map.

    Feature (i, j) lies on block (i + shift, j + shift) of stride × stride pixels, counting blocks
    from the first pixel of the input.
    """

    stride: int
    shift: int = 0


def alignment(description: Description) -> Alignment:
    """The stride of an encoder's output, and the block nearest the centre of each receptive field.

    The shift is 0 for VGG16, and 1 for the paper's AlexNet, whose first convolution has no padding.

    Raises:
        ValueError: the description contains an operation of a decoder.
    """
    stride, centre = 1, 0.0  # of the receptive field of the output's first pixel
    for op in description.operations:
        match op:
            case Conv():
                centre += stride * ((op.kernel_size - 1) / 2 - op.padding[0])
            case Pool():
                centre += stride * (op.kernel_size - 1) / 2
            case Normalise():
                continue
            case _:
                raise ValueError(f"{description.name}: {op.name} does not belong in an encoder.")
        stride *= op.stride
    return Alignment(stride, round((centre - (stride - 1) / 2) / stride))


def layer_table(description: Description, height: int, width: int) -> list[tuple[str, Step]]:
    """The paper's Table 1: each block of convolutions with the step that ends it.

    Parameters and multiply-adds of the step are those of the whole block.
    """
    rows: dict[str, Step] = {}
    for step in trace(description, height, width):
        if not isinstance(step.operation, Conv):
            continue
        block = block_of(step.operation)
        before = rows.get(block)
        rows[block] = Step(
            step.operation,
            step.channels,
            step.height,
            step.width,
            step.parameters + (before.parameters if before else 0),
            step.multiply_adds + (before.multiply_adds if before else 0),
            step.receptive_field,
        )
    return list(rows.items())
