"""What modules of a network give for photos, copied by forward hooks that leave no trace."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

Pixels = Float[Tensor, "N 3 H W"]
Selector = Callable[[Any], Tensor]


class LayerError(ValueError):
    """A layer whose features can't be taken, in one line: which, why, and what to do."""


class _Found(Exception):
    """All layers have been called; the rest of the model need not run."""


def find_layers(model: nn.Module, patterns: Sequence[str]) -> list[str]:
    """The modules that names or glob patterns stand for, in the model's order.

    Args:
        patterns: `named_modules()` paths such as `layer1.0.conv2`, or globs such as `layer?`, which
            leave out modules that only hold others.

    Raises:
        LayerError: a pattern fits no module.
    """
    modules = {name: module for name, module in model.named_modules() if name}
    called = [name for name, module in modules.items() if _has_forward(module)]
    found: set[str] = set()
    for pattern in patterns:
        fitting = {name for name in called if fnmatchcase(name, pattern)}
        fitting |= {pattern} & modules.keys()
        if not fitting:
            near = _near(pattern, called)
            raise LayerError(f"`layers`: no module is called {pattern!r}; {near}.")
        found |= fitting
    return [name for name in modules if name in found]


def _has_forward(module: nn.Module) -> bool:
    """False for what only holds others, such as a ModuleList or a ParameterDict."""
    return getattr(module.forward, "__func__", None) is not nn.Module.forward


def _near(pattern: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(pattern, names, 3) or names[:3]
    return f"there are {', '.join(close)}, … ({len(names)} in all)"


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """The model in eval mode; every module's own mode comes back afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def capture(
    model: nn.Module,
    layers: Sequence[str],
    inputs: Tensor,
    selectors: Mapping[str, Selector] | None = None,
    *,
    stop: bool = False,
) -> dict[str, Tensor]:
    """The outputs of several layers for one batch, in one forward pass.

    They are copies, so that an operation in place behind a layer changes nothing; gradients flow
    through them where they are enabled. Call it within `undisturbed`.

    Args:
        layers: `named_modules()` paths.
        inputs: whatever the model takes.
        selectors: for layers with several outputs, which tensor to take; the first one if not
            given (`first_tensor`).
        stop: once all layers have been called, leave out the rest of the model, and with it the
            check that none is called again.

    Raises:
        LayerError: a layer was not called, was called more than once, or gave no tensor.
    """
    found: dict[str, Tensor] = {}
    selectors = selectors or {}

    def keep(name: str) -> Callable[[nn.Module, Any, Any], None]:
        select = selectors.get(name, first_tensor)

        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if name in found:
                raise LayerError(
                    f"layer {name} is called more than once per photo; choose the module that "
                    "uses it, which is called once."
                )
            found[name] = _selected(name, select, output).clone()
            if stop and len(found) == len(layers):
                raise _Found

        return hook

    modules = dict(model.named_modules())
    handles = [modules[name].register_forward_hook(keep(name)) for name in layers]
    try:
        model(inputs)
    except _Found:
        pass
    finally:
        for handle in handles:
            handle.remove()
    if missing := [name for name in layers if name not in found]:
        raise LayerError(
            f"layer {missing[0]} is never called when the model sees a photo; choose another."
        )
    return found


def first_tensor(output: Any) -> Tensor:
    """The first tensor of a tuple, a mapping or a dataclass; a tensor as it is.

    Raises:
        TypeError: there is none.
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        parts: list[Any] = list(output.values())
    elif isinstance(output, list | tuple):
        parts = list(output)
    elif is_dataclass(output):
        parts = [getattr(output, field.name) for field in fields(output)]
    else:
        parts = []
    for part in parts:
        try:
            return first_tensor(part)
        except TypeError:
            continue
    raise TypeError(f"no tensor in an output of type {type(output).__name__}")


def _selected(name: str, select: Selector, output: Any) -> Tensor:
    try:
        tensor = select(output)
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise LayerError(
            f"layer {name} gives no tensor that can be taken ({error}); name one with `selectors`."
        ) from None
    if not tensor.is_floating_point():
        raise LayerError(f"layer {name} gives {tensor.dtype} values, not floating-point features.")
    return tensor


@torch.no_grad()
def check_features(
    model: nn.Module,
    layers: Sequence[str],
    inputs: Tensor,
    selectors: Mapping[str, Selector] | None = None,
) -> None:
    """Refuses layers whose features are not finite, or depend on the other photos of a batch.

    Args:
        inputs: two different inputs or more.

    Raises:
        LayerError: naming the layer.
    """
    together = capture(model, layers, inputs, selectors)
    alone = capture(model, layers, inputs[:1], selectors)
    for name in layers:
        if not together[name].isfinite().all():
            raise LayerError(
                f"layer {name} gives NaN or infinite features; check the weights and the "
                "preprocessing."
            )
        if together[name].shape[0] != len(inputs):
            raise LayerError(
                f"layer {name} gives {tuple(together[name].shape)} for {len(inputs)} photos; its "
                "first axis must count photos."
            )
        scale = together[name].abs().max().clamp(min=1e-30)
        if ((together[name][:1] - alone[name]).abs().max() / scale) > 1e-3:
            raise LayerError(
                f"layer {name} depends on the other photos of its batch; choose a layer before "
                "they are mixed, or a model that does not."
            )
