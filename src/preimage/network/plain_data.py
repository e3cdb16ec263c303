"""Descriptions and their operations as plain data, for JSON, checkpoints and records.

A file may hold anything: every value is checked against the hints of the operations
(`preimage.network.schema`), and a description has limits on what it may ask for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
from preimage.network.ranges import Channels
from preimage.network.schema import read_as

_OPERATIONS: dict[str, type[Operation]] = {
    kind.op: kind for kind in (Conv, Pool, Unpool, Crop, ChannelMean, Normalise)
}
#: What a description in a file may ask for; VGG16 and its mirror have 50 operations.
MOST_OPERATIONS, MOST_WEIGHTS = 1_000, 2**30
_NAME = re.compile(r"\w[\w +-]{0,199}")  # of an operation; torch allows no dots


@dataclass(frozen=True)
class _Described:
    name: str
    in_channels: Channels
    operations: tuple[Any, ...]


def operation_to_dict(op: Operation) -> dict[str, Any]:
    """Plain data that `operation_from_dict` reads back."""
    return {"op": op.op, **asdict(op)}


def operation_from_dict(entry: object, where: str = "the operation") -> Operation:
    """The operation that `operation_to_dict` wrote.

    Args:
        where: its place in the file, for messages.

    Raises:
        ValueError: a key or the operation is missing or unknown, or a value is not what its field
            holds; the message names it.
    """
    name = entry.get("op") if isinstance(entry, Mapping) else None
    kind = _OPERATIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"{where}.op must be one of {', '.join(_OPERATIONS)}, got {name!r:.60}.")
    assert isinstance(entry, Mapping)
    operation = read_as(kind, {k: v for k, v in entry.items() if k != "op"}, where)
    if not _NAME.fullmatch(operation.name):
        raise ValueError(
            f"{where}.name must be up to 200 letters and digits, got {operation.name!r:.60}."
        )
    return operation


def read_description(data: object) -> tuple[str, tuple[Operation, ...], int]:
    """Name, operations and number of input channels that `Description.to_dict` wrote.

    Raises:
        ValueError: a key or an operation is missing or unknown, a value is not what its field
            holds, or the network is beyond `MOST_OPERATIONS` or `MOST_WEIGHTS`; the message says
            which.
    """
    found = read_as(_Described, data, "the description")
    if len(found.operations) > MOST_OPERATIONS:
        raise ValueError(
            f"the description has {len(found.operations):,} operations; at most "
            f"{MOST_OPERATIONS:,} are read."
        )
    operations = tuple(
        operation_from_dict(entry, f"operations[{index}]")
        for index, entry in enumerate(found.operations)
    )
    if (weights := _weights(operations, found.in_channels)) > MOST_WEIGHTS:
        raise ValueError(
            f"the description has {weights:.1e} weights; at most {MOST_WEIGHTS:.1e} are read."
        )
    return found.name, operations, found.in_channels


def _weights(operations: Sequence[Operation], channels: int) -> int:
    count = 0
    for op in operations:
        if isinstance(op, Conv):
            count += op.out_channels * channels * op.kernel_size**2
            channels = op.out_channels
        elif isinstance(op, ChannelMean):
            channels = 1
    return count
