"""The layers of a model: what each gives for a photo, and which to probe when none are named."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from preimage.probing.capture import (
    LayerError,
    Selector,
    find_layers,
    first_tensor,
    undisturbed,
)
from preimage.probing.features import Layout, layout_of

#: Transformer blocks that `auto` takes at the most.
_BLOCKS = 6


@dataclass(frozen=True)
class Layer:
    """A module that was called once for a photo.

    Args:
        name: its `named_modules()` path.
        module: the name of its class.
        layout: how its output is read as features.
    """

    name: str
    module: str
    layout: Layout


@torch.no_grad()
def survey(
    model: nn.Module, inputs: Tensor, selectors: Mapping[str, Selector] | None = None
) -> list[Layer]:
    """Every module that gives features, in the order in which they are finished.

    Modules that are called several times or give no tensor that can be read are left out.

    Args:
        inputs: one model input or more, (N, 3, H, W).
    """
    shapes: dict[str, list[tuple[int, ...] | None]] = {}
    selectors = selectors or {}

    def note(name: str) -> Any:
        select = selectors.get(name, first_tensor)

        def hook(module: nn.Module, args: Any, output: Any) -> None:
            try:
                shape = tuple(select(output).shape)
            except (TypeError, KeyError, IndexError, AttributeError):
                shape = ()
            shapes.setdefault(name, []).append(shape[1:] if shape[:1] == (len(inputs),) else None)

        return hook

    handles = [m.register_forward_hook(note(name)) for name, m in model.named_modules() if name]
    try:
        with undisturbed(model):
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    modules = dict(model.named_modules())
    size = (inputs.shape[2], inputs.shape[3])
    found = []
    for name, calls in shapes.items():
        if len(calls) > 1 or calls[0] is None:
            continue
        try:
            layout = layout_of(name, calls[0], size, model)
        except LayerError:
            continue
        found.append(Layer(name, type(modules[name]).__name__, layout))
    return found


def choose_layers(
    model: nn.Module, layers: str | Sequence[str], surveyed: Sequence[Layer]
) -> list[str]:
    """The layers to probe: those named, or for `auto` the last stage at each resolution.

    `auto` takes the outermost modules (fewest dots in their names), so `layer2` rather than a
    convolution within it; of a stack of transformer blocks it takes every k-th, six at the most,
    the last one among them.

    Raises:
        LayerError: a name fits no module, or `auto` finds none.
    """
    if layers != "auto":
        return find_layers(model, [layers] if isinstance(layers, str) else layers)
    by_grid: dict[tuple[int, int], list[Layer]] = {}
    for layer in surveyed:
        if layer.layout.grid:
            by_grid.setdefault(layer.layout.grid, []).append(layer)
    names: set[str] = set()
    for group in by_grid.values():
        outermost = min(_depth(layer) for layer in group)
        names.add([layer.name for layer in group if _depth(layer) == outermost][-1])
        names.update(_blocks(group))
    if not names:
        raise LayerError("`layers`: no module of this model gives maps or tokens; name a layer.")
    return [layer.name for layer in surveyed if layer.name in names]


def _depth(layer: Layer) -> int:
    return layer.name.count(".")


def _blocks(layers: Sequence[Layer]) -> list[str]:
    """Every k-th of the outermost stack of at least four numbered modules that give tokens."""
    stacks: dict[tuple[str, str], list[Layer]] = {}
    for layer in layers:
        stem = re.fullmatch(r"(.*?)\d+", layer.name)
        if stem and layer.layout.kind == "tokens":
            stacks.setdefault((stem[1], layer.module), []).append(layer)
    long = [stack for stack in stacks.values() if len(stack) >= 4]
    if not long:
        return []
    stack = min(long, key=lambda stack: (_depth(stack[0]), -len(stack)))
    every = -(-len(stack) // _BLOCKS)
    return [layer.name for layer in stack[::-1][::every]]
