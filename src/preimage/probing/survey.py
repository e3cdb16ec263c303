"""The layers of a model: what each gives for a photo, and which to probe when none are named."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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

#: Of an attention matrix, or of nothing new.
_NO_FEATURES = ("Dropout", "Softmax")
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

    `auto` takes `layer2` rather than a convolution within it (`_stage_ends`), leaves out what comes
    before the first module with parameters, and takes of a stack of transformer blocks every k-th,
    six at the most, the last one among them.

    Raises:
        LayerError: a name fits no module, or `auto` finds none.
    """
    if layers != "auto":
        return find_layers(model, [layers] if isinstance(layers, str) else layers)
    modules = dict(model.named_modules())
    learned = [any(True for _ in modules[layer.name].parameters()) for layer in surveyed]
    first = learned.index(True) if True in learned else 0
    layers_left = [layer for layer in surveyed[first:] if layer.module not in _NO_FEATURES]
    by_grid: dict[tuple[int, int], list[Layer]] = {}
    for layer in layers_left:
        if layer.layout.grid:
            by_grid.setdefault(layer.layout.grid, []).append(layer)
    blocks = [name for group in by_grid.values() for name in _blocks(group)]
    around = {name for block in blocks for name in _path(block)[:-1]}  # they end with the last one
    names = set(_stage_ends(layers_left)) - around | set(blocks)
    if not names:
        raise LayerError("`layers`: no module of this model gives maps or tokens; name a layer.")
    return [layer.name for layer in surveyed if layer.name in names]


def _stage_ends(layers: Sequence[Layer]) -> list[str]:
    """The last module at each resolution, before the stage that leaves it.

    A change of resolution happens in a leaf of the tree of modules. The stage that makes it is the
    outermost module around that leaf in which no other change happens: `layer2`, not the whole
    network, nor the convolution within. What was finished before it, and last, is the end. Where a
    resolution is left several times (shortcuts, attention), the outermost end counts.
    """
    inner = {name for layer in layers for name in _path(layer.name)[:-1]}
    leaves = [layer for layer in layers if layer.name not in inner]
    maps = [i for i, leaf in enumerate(leaves) if leaf.layout.grid]
    behind = leaves[maps[-1] + 1 :][:1] if maps else []  # what no longer has positions
    chain = [leaves[i] for i in maps] + behind
    changes = [
        (here.layout.grid, there.name)
        for here, there in pairwise(chain)
        if here.layout.grid != there.layout.grid
    ]
    around = Counter(name for _, leaf in changes for name in _path(leaf))
    ends: dict[tuple[int, int] | None, Layer] = {}
    if maps and not behind:
        last = [layer for layer in layers if layer.layout.grid][-1]
        ends[last.layout.grid] = last
    for grid, leaf in changes:
        end = _finished_before([name for name in _path(leaf) if around[name] == 1], grid, layers)
        if end and (grid not in ends or _depth(end) <= _depth(ends[grid])):
            ends[grid] = end
    return [layer.name for layer in ends.values()]


def _finished_before(
    stages: Sequence[str], grid: tuple[int, int] | None, layers: Sequence[Layer]
) -> Layer | None:
    """The last layer of a grid before the first of these stages that has one before it."""
    for stage in stages:
        start = next(i for i, layer in enumerate(layers) if stage in _path(layer.name))
        before = [layer for layer in layers[:start] if layer.layout.grid == grid]
        if before:
            return before[-1]
    return None


def _path(name: str) -> list[str]:
    """A module and those around it, outermost first."""
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


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
