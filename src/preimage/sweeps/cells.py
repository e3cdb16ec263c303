"""A cell: one random network on all photos of a sweep, named by what its numbers depend on."""

import hashlib
import json
from dataclasses import asdict, fields
from typing import Any

from preimage.network.laws import STREAM_VERSION
from preimage.network.operations import Operation
from preimage.network.spec import IMAGENET_MEAN, ReconstructConfig
from preimage.scores.metrics import GREY

#: The options of a cell in the order of a table's columns, which other programs read.
OPTIONS = (
    *("architecture", "layer", "pooled", "pool", "unpool", "width", "width_factor"),
    *("kernel_size", "slope", "simplified", "head", "weights", "seed", "network_number"),
    *("size", "input"),
)


def scope(photos_sha256: str) -> dict[str, Any]:
    """What all cells of one sweep share: photos, scoring convention, random streams.

    Scores of different scopes can't be compared, so one folder holds one scope.
    """
    # "contract" is the scoring convention: every cell on disk is named by a hash with this key.
    return {"photos_sha256": photos_sha256, "contract": asdict(GREY), "streams": STREAM_VERSION}


def identity(config: ReconstructConfig, photos_sha256: str) -> dict[str, Any]:
    """Everything that a cell's numbers depend on, up to rounding: the device is left out.

    The network is its list of operations, without the options that have their default values: two
    configs that describe one network are one cell, and a new option of an operation renames no
    cell.
    """
    return {
        "network": [_without_defaults(operation) for operation in config.network().operations],
        "weights": config.weights,
        "seed": config.seed,
        "network_number": config.network_number,
        "size": config.size,
        "input": _input(config),
        **scope(photos_sha256),
    }


def cell_key(config: ReconstructConfig, photos_sha256: str) -> str:
    """The name of a cell's file: 32 hexadecimal digits, a hash of its identity."""
    return identity_key(identity(config, photos_sha256))


def identity_key(identity: object) -> str:
    """The name of the file of the cell with this identity, as it is or as JSON gives it back."""
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def label(config: ReconstructConfig) -> str:
    """A cell in words: what differs from the defaults, and the network's number."""
    options, defaults = asdict(config), asdict(ReconstructConfig())
    return ", ".join(
        f"{'network' if name == 'network_number' else name} {options[name]}"
        for name in OPTIONS
        if options[name] != defaults[name] or name == "network_number"
    )


def _input(config: ReconstructConfig) -> str:
    # The mean has changed once; scores of inputs with different means must not be mixed.
    mean = f" {IMAGENET_MEAN}" if config.input == "mean-subtracted" else ""
    return config.input + mean


def _without_defaults(operation: Operation) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(operation)}
    options = {k: v for k, v in asdict(operation).items() if v != defaults[k]}
    return {"op": operation.op, **options}
