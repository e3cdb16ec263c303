"""The folder of a sweep: one file per cell, written whole or not at all.

sweep.json              which cells are wanted, of which photos, under which conventions
cells/<key>.json        a finished cell: config, identity, one row per photo, checksum
failed/<key>.json       why a cell could not be computed
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from preimage.data.records import write_json
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.cells import cell_key, identity, identity_key, label, scope
from preimage.sweeps.photos import PackedPhotos

_log = logging.getLogger(__name__)

#: The scores of one photo by one network, with the photo's name and hash.
Row = dict[str, Any]
_RATES_FROM = 200  # jobs; reading all files of a large sweep for one median would take seconds
#: What reading a damaged file raises; RecursionError of JSON that is nested too deeply.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, RecursionError)
_MANIFEST = {
    "photos_sha256": str,
    "contract": dict,
    "streams": int,
    "photos": list,
    "cells": list,
    "record": dict,
}


@dataclass(frozen=True)
class Status:
    """How many cells of a sweep are done and missing, and why some of the missing ones failed."""

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


class Store:
    """The cells of one sweep on disk.

    Args:
        folder: created with the first file that is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- the sweep -------------------------------------------------------------------------------

    def claim(
        self, cells: Sequence[ReconstructConfig], photos: PackedPhotos, record: Mapping[str, Any]
    ) -> None:
        """Writes `sweep.json`: from now on the folder is for these photos and conventions.

        Args:
            cells: the cells that `status` counts; another grid may follow in the same folder.
            record: what else to keep there, such as the command.

        Raises:
            ValueError: the folder holds a sweep over other photos or under other conventions.
        """
        wanted = scope(photos.sha256)
        before = self.manifest()
        difference = _difference(before, wanted, photos) if before else ""
        if difference:
            raise ValueError(
                f"{self.folder}: holds a sweep over {difference}; choose another folder."
            )
        write_json(
            self.folder / "sweep.json",
            {
                **wanted,
                "photos": list(photos.names),
                "cells": [cell_key(config, photos.sha256) for config in cells],
                "record": dict(record),
            },
        )

    def manifest(self) -> dict[str, Any] | None:
        """What `claim` wrote; None if there is no sweep in this folder.

        Raises:
            ValueError: `sweep.json` is damaged or something else.
        """
        path = self.folder / "sweep.json"
        try:
            data = json.loads(path.read_text("utf-8"))
            manifest = {name: data[name] for name in _MANIFEST}
            wrong = [n for n, kind in _MANIFEST.items() if not isinstance(manifest[n], kind)]
            if wrong:
                raise TypeError(wrong[0])
        except FileNotFoundError:
            return None
        except _DAMAGE:
            raise ValueError(
                f"{path}: not the record of a sweep. Choose another folder; or, if this is a "
                "damaged sweep, delete that file and run the sweep again: finished cells are kept."
            ) from None
        return manifest

    def status(self) -> Status:
        """How far the sweep that `sweep.json` asks for has come.

        Raises:
            ValueError: there is no sweep in this folder, or its `sweep.json` is damaged.
        """
        manifest = self.manifest()
        if manifest is None:
            raise ValueError(f"{self.folder}: there is no sweep here (no sweep.json).")
        keys = manifest["cells"]
        done = {
            key for key in keys if _rows(self._read(key), key, len(manifest["photos"])) is not None
        }
        failed = {key: error for key in keys if key not in done and (error := self._failure(key))}
        num_done = sum(key in done for key in keys)  # a grid may name one network in several ways
        return Status(num_done, len(keys) - num_done, failed)

    # --- its cells -------------------------------------------------------------------------------

    def load(self, config: ReconstructConfig, photos: PackedPhotos) -> list[Row] | None:
        """One row per photo; None if the cell is missing or (the log then says so) damaged."""
        key = cell_key(config, photos.sha256)
        rows = _rows(self._read(key), key, len(photos))
        if rows is None and self._path(key).exists():
            _log.warning("%s: damaged; this cell is computed again.", self._path(key))
        return rows

    def save(
        self,
        config: ReconstructConfig,
        photos: PackedPhotos,
        rows: Sequence[Row],
        run: Mapping[str, Any],
    ) -> None:
        """Writes a cell atomically.

        Args:
            rows: one per photo.
            run: how it was computed: seconds, FLOPs, environment.
        """
        key = cell_key(config, photos.sha256)
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
        """Records why a cell could not be computed; the next run tries it again."""
        path = self._failure_path(cell_key(config, photos.sha256))
        write_json(path, {"cell": label(config), "error": error})

    def rates(self, where: Mapping[str, Any]) -> list[tuple[float, float]]:
        """(FLOPs, seconds) of at most 200 jobs that were finished on this platform and device.

        Args:
            where: an `environment`, of which platform and device count.
        """
        pairs: list[tuple[float, float]] = []
        for path in sorted(self.folder.glob("cells/[!.]*.json")):
            if len(pairs) == _RATES_FROM:
                break
            try:
                run = json.loads(path.read_text("utf-8"))["run"]
                if all(run["environment"][name] == where[name] for name in ("platform", "device")):
                    pairs.append((float(run["flops"]), float(run["seconds"])))
            except _DAMAGE:
                continue
        return pairs

    def core_seconds(self, config: ReconstructConfig, photos: PackedPhotos) -> float:
        """What a finished cell took one core: its share of its job's time; 0 if unknown."""
        cell = self._read(cell_key(config, photos.sha256))
        try:
            run = cell["run"]
            return float(run.get("core_seconds", run["seconds"])) / float(run["cells"])
        except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError):
            return 0.0

    def _path(self, key: str) -> Path:
        return self.folder / "cells" / f"{key}.json"

    def _failure_path(self, key: str) -> Path:
        return self.folder / "failed" / f"{key}.json"

    def _failure(self, key: str) -> str | None:
        try:
            failure = json.loads(self._failure_path(key).read_text("utf-8"))
            return f"{failure['cell']}: {failure['error']}"
        except _DAMAGE:
            return None

    def _read(self, key: str) -> Any:
        """What the cell's file contains; None if it cannot be read."""
        try:
            return json.loads(self._path(key).read_text("utf-8"))
        except _DAMAGE:
            return None


def _rows(cell: Any, key: str, num_photos: int) -> list[Row] | None:
    """The rows of a cell; None if they are not those that were written, or another cell's."""
    try:
        rows: list[Row] = cell["rows"]
        mappings = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        whole = mappings and len(rows) == num_photos and cell["checksum"] == _checksum(rows)
        whole = whole and identity_key(cell["identity"]) == key
    except (KeyError, TypeError):
        return None
    return rows if whole else None


def _checksum(rows: Sequence[Row]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _difference(before: Mapping[str, Any], wanted: Mapping[str, Any], photos: PackedPhotos) -> str:
    """How the scope of a folder differs from the one that is wanted; empty if it does not."""
    if before["photos_sha256"] != wanted["photos_sha256"]:
        if before["photos"] == list(photos.names):
            return "photos of the same names but other pixels"
        return f"{_names(before['photos'])}, not {_names(photos.names)}"
    if before["contract"] != wanted["contract"]:
        names = [
            name
            for name, value in wanted["contract"].items()
            if before["contract"].get(name) != value
        ]
        return f"scores under another convention ({', '.join(names)})"
    if before["streams"] != wanted["streams"]:
        return f"random streams of version {before['streams']}, not {wanted['streams']}"
    return ""


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} photo{'s' if len(names) != 1 else ''} ({shown})"
