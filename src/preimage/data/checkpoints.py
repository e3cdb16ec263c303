"""Checkpoints: one safetensors file with its card inside, and the card as JSON beside it.

The card says what the tensors are and where they come from. It is kept in the file's own header,
so that a rename replaces tensors and card together; the JSON file is for people to read. A SHA-256
over card and tensors is checked on every load, because safetensors alone detects a truncated file
but not a flipped bit. No pickle is involved.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from preimage.data.atomic_files import write_together
from preimage.data.records import json_text
from preimage.notebook.brief import Brief

FORMAT = "preimage checkpoint 1"
_LONGEST_CARD = 16 * 2**20  # characters


class CheckpointError(ValueError):
    """A checkpoint cannot be used; one line says which one, why, and what to do."""


@dataclass(frozen=True)
class FileBytes:
    """A file that lies in memory and not on a disk.

    Args:
        name: by which messages call it.
        data: all of it.
    """

    name: str
    data: bytes

    def __str__(self) -> str:
        return self.name


#: Where a checkpoint is read from.
Source = str | Path | FileBytes


@dataclass(frozen=True, repr=False)
class Checkpoint(Brief):
    """Tensors by name, and a card of plain data. `kind` says what they form, such as `decoder`."""

    kind: str
    card: dict[str, Any]
    tensors: dict[str, Tensor]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `prefix.`, without it."""
        start = f"{prefix}."
        return {k.removeprefix(start): v for k, v in self.tensors.items() if k.startswith(start)}


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> Path:
    """Writes the file, and its card beside it as JSON: both or neither.

    Raises:
        OSError: the folder can't be written to.
    """
    # Copies: safetensors refuses tensors that share memory or are not contiguous.
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in checkpoint.tensors.items()
    }
    card = json.dumps(checkpoint.card, ensure_ascii=False, allow_nan=False)
    sha256 = _digest(checkpoint.kind, card, tensors)
    header = {"format": FORMAT, "kind": checkpoint.kind, "card": card, "sha256": sha256}
    shown = {"format": FORMAT, "kind": checkpoint.kind, "sha256": sha256, **checkpoint.card}
    beside = json_text(shown)
    write_together(
        {
            path.with_suffix(".json"): lambda file: file.write_text(beside, encoding="utf-8"),
            # Not `save_file`, which puts another file in the place of the one that is locked.
            path: lambda file: file.write_bytes(save(tensors, header)),
        }
    )
    return path


def read_checkpoint(path: Source, kind: str) -> Checkpoint:
    """The checkpoint in a file.

    Raises:
        CheckpointError: the file does not exist, is no checkpoint of this kind, or is damaged.
    """
    header, tensors = _read(path, kind, tensors=True)
    if _digest(kind, header.get("card", ""), tensors) != header.get("sha256"):
        raise CheckpointError(
            f"{path}: its content does not match its SHA-256; it was damaged or changed. Take "
            "another copy, or make it again."
        )
    return Checkpoint(kind, _card(path, header), tensors)


def read_card(path: Source, kind: str) -> dict[str, Any]:
    """The card of a checkpoint alone, without its tensors; its SHA-256 is not checked.

    Raises:
        CheckpointError: the file does not exist, is no checkpoint of this kind, or is truncated.
    """
    return _card(path, _read(path, kind)[0])


def _card(path: Source, header: Mapping[str, str]) -> dict[str, Any]:
    text = header.get("card", "")
    if len(text) > _LONGEST_CARD:
        raise CheckpointError(
            f"{path}: its card has {len(text):,} characters; at most {_LONGEST_CARD:,} are read."
        )
    try:
        card = json.loads(text)
    except (ValueError, RecursionError):
        card = None
    if not isinstance(card, dict):
        raise CheckpointError(f"{path}: its header has no card; use another copy.")
    return card


def _read(
    source: Source, kind: str, *, tensors: bool = False
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The header of a checkpoint, and if asked for its tensors."""
    path = source if isinstance(source, FileBytes) else Path(source)
    if isinstance(path, Path) and not path.is_file():
        raise CheckpointError(f"{path}: no such file; expected a checkpoint written by preimage.")
    try:
        header, found = (
            _open_bytes(path.data) if isinstance(path, FileBytes) else _open(path, tensors)
        )
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a safetensors file, or truncated ({error}); use another copy."
        ) from None
    if header.get("format") != FORMAT:
        raise CheckpointError(f"{path}: a safetensors file, but not one written by preimage.")
    if header.get("kind") != kind:
        raise CheckpointError(f"{path}: holds a {header.get('kind')}, expected a {kind}.")
    return header, found


def _open(path: Path, tensors: bool) -> tuple[dict[str, str], dict[str, Tensor]]:
    with safe_open(path, "pt") as file:
        header: dict[str, str] = file.metadata() or {}
        return header, {
            name: file.get_tensor(name)
            for name in file.keys()  # noqa: SIM118
            if tensors
        }


def _open_bytes(data: bytes) -> tuple[dict[str, str], dict[str, Tensor]]:
    """As `_open`, of a file in memory, whose header safetensors does not give away.

    Raises:
        SafetensorError: it is none.
    """
    found = load(data)  # which has checked that there is a header of this length, and what it is
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header.get("__metadata__", {}), found


def is_checkpoint(path: str | Path) -> bool:
    """Whether a file is a checkpoint of preimage, of any kind."""
    if not Path(path).is_file():  # a pipe would be waited for
        return False
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except (SafetensorError, OSError):
        return False


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values."""
    return _digest("", "", tensors)


def _digest(kind: str, card: str, tensors: Mapping[str, Tensor]) -> str:
    sha = hashlib.sha256(f"{kind}\0{card}\0".encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu()
        sha.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        sha.update(tensor.flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()
