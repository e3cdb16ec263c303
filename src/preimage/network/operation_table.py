"""Operations in words, and their table with shapes: what a description shows of itself."""

from collections.abc import Sequence
from typing import Any

from preimage.network.operations import (
    DATA,
    ChannelMean,
    Conv,
    Crop,
    Normalise,
    Operation,
    Pool,
    Unpool,
)
from preimage.network.sizes import Size, output_size


def operation_rows(
    operations: Sequence[Operation], channels: Sequence[int], size: Size
) -> list[dict[str, Any]]:
    """A row per operation: its name, what it does, and channels × height × width of its output.

    The shapes are those for an input of this (height, width). Where there are none, because it is
    too small or the operations are those of a DCN, the channels stand alone.
    """
    rows = []
    known = {DATA: size}
    shown = size if channels[0] <= 4 else None  # a DCN is not fed with photos
    for op, before, after in zip(operations, channels[:-1], channels[1:], strict=True):
        if shown is not None:
            known[op.name] = shown
            try:
                shown = output_size(op, shown, known)
            except ValueError:
                shown = None
        shape = f"{after}×{shown[0]}×{shown[1]}" if shown else f"{after} channels"
        rows.append({"operation": op.name, "what it does": in_words(op, before), "output": shape})
    return rows


def in_words(op: Operation, in_channels: int) -> str:
    """An operation in a few words."""
    match op:
        case Conv():
            size = f"{op.kernel_size}×{op.kernel_size}"
            words = [f"conv {size}, {in_channels} → {op.out_channels}"]
            if op.stride > 1:
                words.append(f"stride {op.stride}")
            if op.padding != ((op.kernel_size - 1) // 2, op.kernel_size // 2):
                words.append(f"padding {op.padding[0]}+{op.padding[1]}")
            words += ["batch norm"] * op.batch_norm + ["bias"] * op.bias
            words += ["÷√channels"] * op.normalised
            activation = {0.0: "ReLU", 1.0: "linear"}.get(op.slope, f"leaky ReLU {op.slope:g}")
            return ", ".join([*words, activation])
        case Pool():
            mode = ", ceil" if op.ceil else ""
            return f"{op.kind} pool {op.kernel_size}×{op.kernel_size}, stride {op.stride}{mode}"
        case Unpool():
            return f"unpool {op.kind} ×{op.stride}, at least the size before {op.like}"
        case Crop():
            return f"crop to the size of {op.like}"
        case ChannelMean():
            return f"mean over {in_channels} channels"
        case Normalise():
            mean, std = (", ".join(f"{v:g}" for v in values) for values in (op.mean, op.std))
            return f"(x − mean) / std, mean {mean}, std {std}"
