"""The folder of a probe: one file per finished piece of work, written whole or not at all.

settings.json             what the numbers depend on; the folder is for these settings alone
networks/<name>.safetensors   a finished piece, such as `trained` or `twin-0`, with its checksum
networks/<name>.json          the same numbers for people to read
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from preimage.data.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from preimage.data.records import output_folder, write_json
from preimage.data.sole_writer import sole_writer
from preimage.probing.packing import pack, unpack

Found = TypeVar("Found")
_KIND = "part of a probe"
_log = logging.getLogger(__name__)


class Store:
    """Finished pieces of a probe on disk, or nowhere.

    Args:
        folder: created with the first file; None keeps nothing.

    Raises:
        ValueError: the folder is a file or can't be written to.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self.folder = None if folder is None else output_folder(folder)

    @contextmanager
    def claimed(self, settings: Mapping[str, Any]) -> Iterator[None]:
        """The folder for these settings alone, and within this block for this process alone.

        Raises:
            ValueError: the folder holds a probe under other settings, or another process writes
                there.
        """
        with sole_writer(self.folder) if self.folder else nullcontext():
            self.claim(settings)
            yield

    def claim(self, settings: Mapping[str, Any]) -> None:
        """Writes the settings: from now on the folder is for these alone.

        Args:
            settings: all that the pieces depend on, plain data.

        Raises:
            ValueError: the folder holds a probe under other settings.
        """
        if self.folder is None:
            return
        path = self.folder / "settings.json"
        wanted: dict[str, Any] = json.loads(json.dumps(dict(settings)))
        before = _read_settings(path)
        if before is None:
            write_json(path, wanted)
            return
        names = [name for name in {**wanted, **before} if before.get(name) != wanted.get(name)]
        if names:
            raise ValueError(
                f"`out` {self.folder} holds a probe with other {', '.join(names)}; name another "
                "folder."
            )

    def load(self, name: str, kind: type[Found]) -> Found | None:
        """A piece as an earlier run has left it; None if it is not there or damaged (logged).

        Args:
            name: of its file.
            kind: its type, a dataclass.
        """
        path = self._path(name)
        if path is None or not path.exists():
            return None
        try:
            checkpoint = read_checkpoint(path, _KIND)
            found: Found = unpack(kind, checkpoint.card, checkpoint.tensors)
            if not isinstance(found, kind):
                raise TypeError(f"not a {kind.__name__}")
        except (ValueError, KeyError, TypeError, AttributeError):
            _log.warning("%s: damaged; it is computed again.", path)
            return None
        return found

    def has(self, name: str) -> bool:
        """Whether a piece is there; it is not read, and may be damaged."""
        path = self._path(name)
        return path is not None and path.exists()

    def save(self, name: str, found: Any) -> None:
        """Writes a piece atomically."""
        if path := self._path(name):
            card, tensors = pack(found)
            write_checkpoint(path, Checkpoint(_KIND, card, tensors))

    def kept(self, name: str, kind: type[Found], compute: Callable[[], Found]) -> Found:
        """A piece as an earlier run has left it, or else computed now and kept."""
        found = self.load(name, kind)
        if found is None:
            found = compute()
            self.save(name, found)
        return found

    def _path(self, name: str) -> Path | None:
        return self.folder and self.folder / "networks" / f"{name}.safetensors"


def _read_settings(path: Path) -> dict[str, Any] | None:
    try:
        before = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        before = None
    if not isinstance(before, dict) or "model" not in before:
        raise ValueError(f"`out`: {path} is not the settings of a probe; name another folder.")
    return before
