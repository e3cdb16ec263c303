"""A file a cell: written whole or not at all, found again by what it is made of."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from preimage.data.records import write_json
from preimage.network.laws import STREAM_VERSION
from preimage.network.operations import Operation
from preimage.network.spec import IMAGENET_MEAN, ReconstructConfig
from preimage.scores.metrics import GREY
from preimage.sweeps.photos import PackedPhotos

Row = dict[str, Any]


@dataclass(frozen=True)
class Status:
    """How many cells of a sweep are done, missing, and (of the missing) failed, and why."""

    done: int
    missing: int
    failed: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return self.missing == 0

    def __str__(self) -> str:
        total = self.done + self.missing
        return (
            f"{self.done} of {total} cells done, {self.missing} missing, {len(self.failed)} failed"
        )


def scope(photos_sha256: str) -> dict[str, Any]:
    """What all cells of one run have in common; cells of different scopes are never mixed."""
    return {"photos_sha256": photos_sha256, "contract": asdict(GREY), "streams": STREAM_VERSION}


def identity(config: ReconstructConfig, photos_sha256: str) -> dict[str, Any]:
    """Everything that a cell's numbers depend on, but for rounding: the device is left out.

    The network is its operations, without the words that have their default values, so that
    configs that say the same are the same cell, and a new word of a description moves no cell.
    """
    return {
        "network": [_words(operation) for operation in config.network().operations],
        "weights": config.weights,
        "seed": config.seed,
        "network_number": config.network_number,
        "size": config.size,
        "input": _input(config),
        **scope(photos_sha256),
    }


def _input(config: ReconstructConfig) -> str:
    # With the mean itself: version 0.1's development subtracted another one in sweeps.
    means = ", ".join(f"{value:g}" for value in IMAGENET_MEAN)
    return f"minus {means}" if config.input == "mean-subtracted" else config.input


def _words(operation: Operation) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(operation)}
    words = {k: v for k, v in asdict(operation).items() if v != defaults[k]}
    return {"op": operation.op, **words}


def label(config: ReconstructConfig) -> str:
    """A cell in words: what differs from the defaults, and the network's number."""
    words, defaults = asdict(config), asdict(ReconstructConfig())
    changed = [f"{name} {value}" for name, value in words.items() if value != defaults[name]]
    if "network_number" not in " ".join(changed):
        changed.append("network_number 0")
    return ", ".join(changed).replace("network_number", "network")


class Store:
    """The folder of a sweep: `cells/<hash>.json` each, and `sweep.json`, which says what it is.

    Args:
        folder: need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- one sweep a folder ----------------------------------------------------------------------

    def claim(
        self, cells: Sequence[ReconstructConfig], photos: PackedPhotos, record: Mapping[str, Any]
    ) -> None:
        """Says in `sweep.json` which cells are wanted, and of which photos.

        Args:
            record: what else to keep there, such as the command.

        Raises:
            ValueError: the folder holds a sweep over other photos, or under other conventions.
        """
        wanted = scope(photos.sha256)
        before = self.manifest()
        if before:
            _refuse_other_scope(self.folder, before, wanted, photos)
        write_json(
            self.folder / "sweep.json",
            {
                **wanted,
                "photos": list(photos.names),
                "cells": [self.key(config, photos.sha256) for config in cells],
                "record": dict(record),
            },
        )

    def manifest(self) -> dict[str, Any] | None:
        """What `claim` wrote; None if there is no sweep here.

        Raises:
            ValueError: `sweep.json` can't be read.
        """
        path = self.folder / "sweep.json"
        try:
            data = json.loads(path.read_text("utf-8"))
            return {name: data[name] for name in (*scope(""), "photos", "cells", "record")}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}: not the record of a sweep ({type(error).__name__}); delete it and run "
                "the sweep again: finished cells are kept."
            ) from None

    def status(self) -> Status:
        """Of the sweep that `sweep.json` asks for.

        Raises:
            ValueError: there is no sweep in this folder.
        """
        manifest = self.manifest()
        if manifest is None:
            raise ValueError(f"--out {self.folder}: no sweep there (no sweep.json).")
        keys = manifest["cells"]
        done = {key for key in keys if self._read(key, len(manifest["photos"])) is not None}
        failed = {key: error for key in keys if key not in done and (error := self._failure(key))}
        return Status(len(done), len(keys) - len(done), failed)

    # --- one cell ----------------------------------------------------------------------------

    @staticmethod
    def key(config: ReconstructConfig, photos_sha256: str) -> str:
        """The name of a cell's file: a hash of its identity."""
        text = json.dumps(identity(config, photos_sha256), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def load(self, config: ReconstructConfig, photos: PackedPhotos) -> list[Row] | None:
        """A row a photo; None if the cell is missing, or its file is damaged (said on stderr)."""
        cell = self._read(self.key(config, photos.sha256), len(photos), say=True)
        return None if cell is None else cell["rows"]

    def save(
        self,
        config: ReconstructConfig,
        photos: PackedPhotos,
        rows: Sequence[Row],
        run: Mapping[str, Any],
    ) -> None:
        """Writes a cell, with what is known of its computation (`run`), atomically."""
        key = self.key(config, photos.sha256)
        write_json(
            self._path(key),
            {
                "config": asdict(config),
                "identity": identity(config, photos.sha256),
                "rows": list(rows),
                "checksum": _checksum(rows),
                "run": dict(run),
            },
        )
        self._failure_path(key).unlink(missing_ok=True)

    def fail(self, config: ReconstructConfig, photos: PackedPhotos, error: str) -> None:
        """Keeps why a cell could not be computed, for `status`; a later run tries again."""
        path = self._failure_path(self.key(config, photos.sha256))
        write_json(path, {"cell": label(config), "error": error})

    def rates(self) -> list[tuple[float, float]]:
        """(FLOPs, seconds) of the finished jobs, for an estimate of what is left."""
        pairs = []
        for path in sorted(self.folder.glob("cells/*.json"))[:200]:
            try:
                run = json.loads(path.read_text("utf-8"))["run"]
                pairs.append((float(run["flops"]), float(run["seconds"])))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return pairs

    def _path(self, key: str) -> Path:
        return self.folder / "cells" / f"{key}.json"

    def _failure_path(self, key: str) -> Path:
        return self.folder / "failed" / f"{key}.json"

    def _failure(self, key: str) -> str | None:
        try:
            failure = json.loads(self._failure_path(key).read_text("utf-8"))
            return f"{failure['cell']}: {failure['error']}"
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _read(self, key: str, num_photos: int, say: bool = False) -> dict[str, Any] | None:
        path = self._path(key)
        try:
            cell: dict[str, Any] = json.loads(path.read_text("utf-8"))
            whole = len(cell["rows"]) == num_photos and cell["checksum"] == _checksum(cell["rows"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            whole = False
        if whole:
            return cell
        if say:
            print(f"preimage: {path}: damaged; this cell is computed again.", file=sys.stderr)
        return None


def _checksum(rows: Sequence[Row]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _refuse_other_scope(
    folder: Path, before: Mapping[str, Any], wanted: Mapping[str, Any], photos: PackedPhotos
) -> None:
    if before["photos_sha256"] != wanted["photos_sha256"]:
        difference = f"{_names(before['photos'])}, not {_names(photos.names)}"
        if list(before["photos"]) == list(photos.names):
            difference = "photos of the same names but other pixels"
    elif before["contract"] != wanted["contract"]:
        names = [
            name
            for name in wanted["contract"]
            if before["contract"].get(name) != wanted["contract"][name]
        ]
        difference = f"scores of another contract ({', '.join(names)})"
    elif before["streams"] != wanted["streams"]:
        difference = f"random streams of version {before['streams']}, not {wanted['streams']}"
    else:
        return
    raise ValueError(f"--out {folder} holds a sweep over {difference}; name another folder.")


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} photo{'s' if len(names) != 1 else ''} ({shown})"
