"""The layers of a model: what each gives for a photo, and which to probe when none are named."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from preimage.probing.capture import LayerError, Selector, capture, find_layers, undisturbed
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
    order: list[str] = []
    calls = Counter[str]()

    def count(name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            order.append(name)
            calls[name] += 1

        return hook

    handles = [m.register_forward_hook(count(name)) for name, m in model.named_modules() if name]
    try:
        with undisturbed(model):
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    once = [name for name in order if calls[name] == 1]
    modules = dict(model.named_modules())
    size = (inputs.shape[2], inputs.shape[3])
    found = []
    for name in once:
        try:
            with undisturbed(model):
                output = capture(model, [name], inputs, selectors)[name]
            layout = layout_of(name, output, size, model)
        except LayerError:
            continue
        found.append(Layer(name, type(modules[name]).__name__, layout))
    return found


def choose_layers(
    model: nn.Module, layers: str | Sequence[str], surveyed: Sequence[Layer]
) -> list[str]:
    """The layers to probe: those named, or for `auto` the last one at each resolution.

    Of a stack of transformer blocks `auto` takes every k-th, six at the most, the last one among
    them.

    Raises:
        LayerError: a name fits no module, or `auto` finds none.
    """
    if layers != "auto":
        return find_layers(model, [layers] if isinstance(layers, str) else layers)
    last: dict[tuple[int, int], str] = {}
    for layer in surveyed:
        if layer.layout.grid and layer.layout.kind != "tokens":
            last[layer.layout.grid] = layer.name
    names = set(last.values()) | set(_blocks(surveyed))
    if not names:
        raise LayerError("`layers`: no module of this model gives maps or tokens; name a layer.")
    return [layer.name for layer in surveyed if layer.name in names]


def _blocks(surveyed: Sequence[Layer]) -> list[str]:
    """Every k-th of the modules of one class that follow each other in a list and give tokens."""
    stacks: dict[tuple[str, str], list[str]] = {}
    for layer in surveyed:
        parent, _, number = layer.name.rpartition(".")
        if layer.layout.kind == "tokens" and number.isdecimal():
            stacks.setdefault((parent, layer.module), []).append(layer.name)
    chosen = []
    for names in stacks.values():
        if len(names) < 2:
            continue
        every = -(-len(names) // _BLOCKS)
        chosen += names[::-1][::every]
    return chosen
