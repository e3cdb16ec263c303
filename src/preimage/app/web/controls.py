"""The controls of the page, made from the library's option set: names, help, choices, defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from docstring_parser import parse as parse_docstring

from preimage.app.web.settings import START
from preimage.network.architectures import ARCHITECTURES
from preimage.network.laws import FAMILIES
from preimage.network.operations import block_of
from preimage.network.spec import ReconstructConfig

#: option → what the page calls it
LABELS = {
    "architecture": "Architecture",
    "layer": "Layer",
    "pooled": "With its pooling",
    "pool": "Pooling",
    "width": "Width",
    "kernel_size": "Kernel",
    "slope": "Activation",
    "simplified": "Straight to the layer",
    "unpool": "Unpooling",
    "head": "Head",
    "weights": "Law of the weights",
    "seed": "Seed",
    "network_number": "Network number",
    "size": "Size",
    "input": "Input",
    "photo": "Photo",
    "decoder": "Decoder",
}

_NOT_ONE = ("weights", "network_number")  # two controls, and none

#: Where sliders stop; an address may give any other value that the library takes.
STOPS: dict[str, tuple[Any, ...]] = {
    "width": (None, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    "kernel_size": (None, 1, 3, 5, 7, 9, 11, 15, 21, 31),
    "slope": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "seed": tuple(range(32)),
    "size": (64, 96, 128, 160, 192, 227, 256),
    "scale": ("fan-in", 0.001, 0.015, 0.04, 0.1, 0.2, 0.5, 1.0),
}
#: What a value is called where the number alone would not say it.
_WORDS: dict[tuple[str, object], str] = {
    ("width", None): "own",
    ("kernel_size", None): "own",
    ("slope", 0.0): "ReLU",
    ("slope", 0.2): "leaky, 0.2",
    ("slope", 1.0): "none",
}


@dataclass(frozen=True)
class Control:
    """One control of the page.

    Args:
        kind: how it is shown.
        stops: (value, what it is called), in the order in which they are shown.
        value: what the page begins with.
        default: what an address need not say.
    """

    name: str
    label: str
    help: str
    kind: Literal["slider", "choice", "switch"]
    stops: tuple[tuple[str, str], ...]
    value: str
    default: str


def controls() -> Mapping[str, Control]:
    """All of them by name; the law of the weights is two, `family` and `scale`."""
    one_each = [name for name in LABELS if name in vars(START) and name not in _NOT_ONE]
    made = {name: _control(name) for name in one_each}
    family, scale = (_law(part) for part in (0, 1))
    return {**made, "family": family, "scale": scale}


def layers() -> Mapping[str, tuple[str, ...]]:
    """Architecture → where it can be cut, in order; a block's last convolution is the block."""
    found = {}
    for name, make in ARCHITECTURES.items():
        names = [conv.name for conv in make().convs]
        ends = {block_of(conv): conv.name for conv in make().convs}
        found[name] = tuple(block if ends[block := n.split("_")[0]] == n else n for n in names)
    return found


def _control(name: str) -> Control:
    hint = get_type_hints(ReconstructConfig)[name]
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    if hint is bool:
        kind: Literal["slider", "choice", "switch"] = "switch"
    elif name == "layer":
        kind, choices = "slider", layers()[START.architecture]
    else:
        kind = "slider" if name in STOPS else "choice"
        choices = STOPS.get(name, choices)
    stops = tuple((word(value), called(name, value)) for value in choices)
    value, default = (word(getattr(c, name)) for c in (START, ReconstructConfig()))
    return Control(name, LABELS[name], _helps()[name], kind, stops, value, default)


def _law(part: int) -> Control:
    name = ("family", "scale")[part]
    choices = tuple(FAMILIES) if part == 0 else STOPS["scale"]
    stops = tuple((word(value), called(name, value)) for value in choices)
    value, default = (c.weights.split(":")[part] for c in (START, ReconstructConfig()))
    label = (LABELS["weights"], "Scale of the law")[part]
    help = (
        _helps()["weights"],
        "The law's own number; fan-in keeps the energy of the features from layer to layer. "
        "Scores do not depend on it.",
    )[part]
    kind: Literal["slider", "choice"] = "choice" if part == 0 else "slider"
    return Control(name, label, help, kind, stops, value, default)


def word(value: object) -> str:
    """A value as an address has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def called(name: str, value: object) -> str:
    """A value as people read it."""
    return _WORDS.get((name, value), word(value))


def _helps() -> dict[str, str]:
    """Option → what the option sets' docstrings say of it."""
    return {
        parameter.arg_name: " ".join((parameter.description or "").replace("`", "").split())
        for base in reversed(ReconstructConfig.__mro__)
        for parameter in parse_docstring(base.__doc__ or "").params
    }
