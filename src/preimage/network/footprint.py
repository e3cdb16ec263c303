"""Memory that a network or a fit takes at the least, from its description: before it is taken.

These are lower bounds, so that nothing is refused which would have fitted: maps that must be there
at the same time, weights and sums; not what libraries take besides.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from preimage.network.description import Description
from preimage.network.encoder import Encoder
from preimage.network.operations import Conv, Unpool
from preimage.network.trace import Size, input_sizes, output_size

_FLOAT, _DOUBLE = 4, 8  # bytes
_CHUNK = 2**20  # values of a window's maps per product, in a fit


def weight_bytes(*descriptions: Description) -> int:
    """Of the weights, in float32."""
    return _FLOAT * sum(
        op.out_channels * channels * op.kernel_size**2
        for description in descriptions
        for op, channels in zip(description.operations, description.channels[:-1], strict=True)
        if isinstance(op, Conv)
    )


def map_bytes(
    description: Description,
    size: Size,
    sizes: Mapping[str, Size] | None = None,
    *,
    photos: int = 1,
    bytes_per_value: int = _FLOAT,
) -> int:
    """Of a forward pass: the largest input and output that one operation has, together.

    Args:
        size: (height, width) of the input.
        sizes: for a DCN alone, the `input_sizes` of its CNN.

    Raises:
        ValueError: the input is too small.
    """
    largest = max((sum(pair) for pair in _values(description, size, sizes)), default=0)
    return bytes_per_value * photos * largest


def training_bytes(
    description: Description,
    size: Size,
    sizes: Mapping[str, Size] | None = None,
    *,
    photos: int,
) -> int:
    """Of a step: all outputs, kept for the gradient; weights, gradient and Adam's two moments.

    Raises:
        ValueError: the input is too small.
    """
    kept = sum(out for _, out in _values(description, size, sizes))
    return _FLOAT * photos * kept + 4 * weight_bytes(description)


def encoder_bytes(encoder: Encoder, size: Size, *, photos: int) -> int:
    """Of a forward pass of an encoder. Raises as `map_bytes`."""
    description = getattr(encoder, "description", None)
    if isinstance(description, Description):
        return map_bytes(description, size, photos=photos)
    assert isinstance(encoder, nn.Module)
    return module_bytes(encoder, size, photos=photos)


def module_bytes(module: nn.Module, size: Size, *, photos: int) -> int:
    """Of a forward pass of any module: the largest input and output that one part has, together.

    A copy without weights runs on tensors without values. Of a module that this is not possible
    with, only the photos and one tensor of their size are counted.
    """
    found = [2 * _FLOAT * 3 * photos * prod(size)]

    def note(part: nn.Module, inputs: object, output: object) -> None:
        tensors = (t for t in (*_tensors(inputs), *_tensors(output)) if t.device.type == "meta")
        storages = {t.untyped_storage()._cdata: t for t in tensors}  # in place: one and the same
        found.append(sum(t.numel() * t.element_size() for t in storages.values()))

    with suppress(Exception):  # modules refuse in ways of their own
        twin = _without_values(module)
        for part in twin.modules():
            part._forward_hooks.clear()  # the user's own see what they asked for, and no more
            part._forward_pre_hooks.clear()
            if next(part.children(), None) is None:
                part.register_forward_hook(note)
        with torch.no_grad():
            twin(torch.empty(photos, 3, *size, device="meta"))
    return max(found)


def _without_values(module: nn.Module) -> nn.Module:
    """A copy of a module in eval mode whose tensors have a shape and no memory."""
    empty: dict[int, object] = {
        id(p): nn.Parameter(p.detach().to("meta"), requires_grad=False) for p in module.parameters()
    }
    empty |= {id(buffer): buffer.to("meta") for buffer in module.buffers()}
    return copy.deepcopy(module, empty).eval()


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)


def window_bytes(channels: int, stride: int, window: int, positions: int) -> int:
    """Of a linear fit from windows of features to blocks of pixels.

    Three (k·k·C)² matrices in float64, the products with the pixels, and a chunk of positions with
    the pixels of all windows around them.

    Args:
        positions: of a batch.
    """
    inputs, outputs = window**2 * channels, 3 * stride**2 + 1
    rows = min(max(_CHUNK // channels, 4096), positions)
    around = _FLOAT * rows * window**2 * outputs if window > 1 else 0
    return 3 * _DOUBLE * inputs**2 + 2 * _DOUBLE * inputs * outputs + around


def _values(
    description: Description, size: Size, sizes: Mapping[str, Size] | None
) -> Iterator[tuple[int, int]]:
    """Numbers that each operation takes in and gives out; unpoolings belong to the next one."""
    known = input_sizes(description, *size, sizes)
    channels = description.channels
    taken = 0
    for index, (op, after) in enumerate(pairwise((*description.operations, None))):
        assert op is not None
        taken = taken or channels[index] * prod(known[op.name])
        if isinstance(op, Unpool) and isinstance(after, Conv):
            continue  # its output need not be whole in memory
        yield taken, channels[index + 1] * prod(output_size(op, known[op.name], known))
        taken = 0
