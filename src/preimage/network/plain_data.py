"""Descriptions and their operations as plain data, for JSON, checkpoints and records."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from preimage.network.operations import (
    ChannelMean,
    Conv,
    Crop,
    Normalise,
    Operation,
    Pool,
    Unpool,
)

_OPERATIONS: dict[str, type[Operation]] = {
    kind.op: kind for kind in (Conv, Pool, Unpool, Crop, ChannelMean, Normalise)
}


def operation_to_dict(op: Operation) -> dict[str, Any]:
    """Plain data that `operation_from_dict` reads back."""
    return {"op": op.op, **asdict(op)}


def operation_from_dict(entry: dict[str, Any]) -> Operation:
    """The operation that `operation_to_dict` wrote.

    Raises:
        ValueError: a key or the operation is missing or unknown; the message names it.
    """
    name = entry.get("op")
    kind = _OPERATIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"`op` must be one of {', '.join(_OPERATIONS)}, got {name!r}.")
    values: dict[str, Any] = {  # JSON has lists in place of tuples
        key: tuple(value) if isinstance(value, list) else value
        for key, value in entry.items()
        if key != "op"
    }
    require_keys(values, [field.name for field in fields(kind)], f"a {kind.op}")
    return kind(**values)


def read_description(data: dict[str, Any]) -> tuple[str, tuple[Operation, ...], int]:
    """Name, operations and number of input channels that `Description.to_dict` wrote.

    Raises:
        ValueError: a key or an operation is missing or unknown; the message names it.
    """
    try:
        require_keys(data, ("name", "in_channels", "operations"), "a description")
        operations = tuple(operation_from_dict(entry) for entry in data["operations"])
    except (AttributeError, TypeError) as error:  # a list or a number in place of a mapping
        raise ValueError(f"not a description as `to_dict` writes it: {error}.") from error
    return data["name"], operations, data["in_channels"]


def require_keys(data: dict[str, Any], keys: Sequence[str], what: str) -> None:
    """Refuses a mapping that does not have exactly these keys."""
    if wrong := sorted(set(keys) ^ set(data)):
        raise ValueError(f"{what} has the keys {', '.join(keys)}; missing or unknown: {wrong}.")
