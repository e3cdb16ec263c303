"""Writing results: atomically, and with what it takes to repeat them."""

import json
import platform
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from preimage._version import __version__
from preimage.data.atomic_files import write_atomically as write_atomically


def output_folder(name: str | Path) -> Path:
    """The folder of this name, which need not be there yet.

    Raises:
        ValueError: it is a file, or can't be written to.
    """
    path = Path(name)
    try:
        there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
        if not there.is_dir() or (path.is_symlink() and not path.exists()):
            raise ValueError(
                f"`out` must be a folder, got {name}: {there} is a file or a dead link."
            )
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise ValueError(
            f"`out` {name}: can't be written to ({error.strerror}); name another folder."
        ) from None
    return path


def output_file(name: str | Path) -> Path:
    """The file of this name, which need not be there yet: looked at before the work, not after.

    Raises:
        ValueError: it is empty, a folder, or can't be written.
    """
    if not str(name):
        raise ValueError("`out` is empty; name a file.")
    path = Path(name)
    if path.is_dir():
        raise ValueError(f"`out` must be a file, got {name}, which is a folder.")
    output_folder(path.parent)
    return path


def write_text(path: Path, text: str) -> Path:
    """Writes a text file atomically."""
    return write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, data: Mapping[str, Any]) -> Path:
    """Writes a JSON file atomically."""
    return write_text(path, json_text(data))


def json_text(data: Mapping[str, Any]) -> str:
    """What `write_json` writes."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Writes one JSON object per line, atomically."""
    return write_text(
        path,
        "".join(
            json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records
        ),
    )


def environment(device: torch.device | str = "cpu") -> dict[str, Any]:
    """Versions, machine, device and threads, for the record of a run."""
    return {
        "preimage": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in ("torch", "numpy", "pillow", "scikit-image")},
        "platform": platform.platform(),
        "device": str(device),
        "threads": torch.get_num_threads(),
    }


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
