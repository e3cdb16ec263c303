"""Ways to spoil bytes, JSON and checkpoints; each a function of a random generator."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch

from preimage.data.checkpoints import Checkpoint, read_checkpoint, write_checkpoint

#: Values that a hostile file may hold in place of any other.
HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 1, 7, 2**31, 2**63, 2**70, -(2**40), 0.5, -0.0, 1e308, float("nan"),
    float("inf"), "", "evil", "../../etc/passwd", "é" * 300, "9" * 5000, [], {}, [[]], [-1, -1],
    {"type": "evil"}, [0] * 2000,
)  # fmt: skip


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


def spoil_bytes(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    """One to four of: flipped bits, lost, doubled, blank or foreign stretches, extreme numbers."""
    for _ in range(generator.choice((1, 1, 1, 2, 4))):
        data = generator.choice(_BYTES)(data, generator, others)
    return data


def _flip(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    spoilt = bytearray(data)
    for _ in range(generator.choice((1, 1, 2, 8))):
        if spoilt:
            spoilt[generator.randrange(len(spoilt))] ^= 1 << generator.randrange(8)
    return bytes(spoilt)


def _cut(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    end = generator.choice((0, 1, len(data) - 1, generator.randint(0, len(data))))
    return data[: max(end, 0)]


def _lose(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    start, length = _stretch(data, generator)
    return data[:start] + data[start + length :]


def _double(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    start, length = _stretch(data, generator)
    return data[: start + length] + data[start : start + length] + data[start + length :]


def _overwrite(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    start, length = _stretch(data, generator)
    new = generator.choice((bytes(length), b"\xff" * length, generator.randbytes(length)))
    return data[:start] + new + data[start + length :]


def _extreme(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    """A number of 1 to 8 bytes in either order."""
    width = generator.choice((1, 2, 4, 8))
    value = generator.choice(
        (0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width - 1), 2 ** (8 * width) - 1)
    )
    start = generator.randint(0, max(len(data) - width, 0))
    new = value.to_bytes(width, generator.choice(("big", "little")))
    return data[:start] + new + data[start + width :]


def _graft(data: bytes, generator: Random, others: Sequence[bytes]) -> bytes:
    other = generator.choice(others)
    return data[: generator.randint(0, len(data))] + other[generator.randint(0, len(other)) :]


def _stretch(data: bytes, generator: Random) -> tuple[int, int]:
    start = generator.randint(0, max(len(data) - 1, 0))
    return start, min(generator.choice((1, 4, 16, 64, 1024)), len(data) - start)


_BYTES: tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...] = (
    _flip, _flip, _cut, _lose, _double, _overwrite, _extreme, _graft,
)  # fmt: skip


def spoil_plain(data: Any, generator: Random) -> Any:
    """Plain data with one value replaced, lost, or repeated a thousand times."""
    data = json.loads(json.dumps(data))
    places = list(_places(data))
    if not places:
        return generator.choice(HOSTILE)
    owner, key = generator.choice(places)
    action = generator.choice(("replace", "replace", "replace", "lose", "repeat", "deep", "odd"))
    if action == "replace":
        owner[key] = generator.choice(HOSTILE)
    elif action == "lose":
        del owner[key]
    elif action == "repeat":
        owner[key] = [owner[key]] * 1000
    elif action == "deep":
        owner[key] = deep(generator.choice((3, 900, 50_000)))
    elif isinstance(owner, dict):
        owner[f"{key} "] = owner.pop(key)
    return data


def _places(data: Any) -> Any:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield data, key
        if isinstance(value, dict | list):
            yield from _places(value)


def spoil_text(text: str, generator: Random) -> str:
    """JSON that is valid but wrong."""
    try:
        return json.dumps(spoil_plain(json.loads(text), generator))
    except RecursionError:
        return "[" * 50_000


def spoil_checkpoint(path: Path, kind: str, generator: Random) -> None:
    """A checkpoint whose SHA-256 is right and whose card or tensors are wrong."""
    found = read_checkpoint(path, kind)
    card, tensors = found.card, dict(found.tensors)
    if generator.random() < 0.6:
        card = spoil_plain(card, generator)
    else:
        name = generator.choice(sorted(tensors))
        tensors[name] = generator.choice(_TENSORS)(tensors[name])
    try:
        write_checkpoint(path, Checkpoint(kind, card, tensors))
    except (ValueError, RecursionError, TypeError, RuntimeError):  # not to be written; torn then
        path.write_bytes(path.read_bytes()[: generator.randint(0, 400)])


_TENSORS: tuple[Callable[[torch.Tensor], torch.Tensor], ...] = (
    lambda t: t.to(torch.int8),
    lambda t: t.to(torch.bfloat16),
    lambda t: t.double(),
    lambda t: t * torch.nan,
    lambda t: t / 0,
    lambda t: t.flatten(),
    lambda t: t[:0] if t.dim() else t[None],
    lambda t: torch.cat([t, t]) if t.dim() else t[None],
    lambda t: t.to(torch.complex64),
    lambda t: t > 0,
)
