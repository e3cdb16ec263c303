"""The kernel between all positions of a layer: rows of tiles, in threads, kept as they come.

The training positions' Gram is symmetric, and half of it is computed. Rows are kept in a folder,
in files named by all that they depend on, so that a killed run goes on where it was.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.data.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from preimage.data.progress import progress_bar
from preimage.network.limit.cross import FEW_CHANNELS, TileMaps, tile_kernel
from preimage.network.limit.pairs import PairRecursion

VERSION = 1  # of the numbers in the files
ROWS = 4  # tiles per file
_ELEMENTS = 1 << 18  # of a block of pairs: in smaller ones threads wait for Python's lock
_LARGEST = 1 << 24  # elements of the kernels of pairs of tiles at once
_KIND = "rows of a kernel"
_log = logging.getLogger(__name__)

Job = tuple[str, int, int]  # of training or held-out positions: the first tile, the one behind


@dataclass(frozen=True)
class Grams:
    """K of training (P) and held-out positions (M) with landmarks (L), and K(p, p) of the held-out.

    The landmarks are the first L training positions, all of them (L = P) if not said otherwise.
    """

    gram: Float[Tensor, "P L"]
    cross: Float[Tensor, "M L"]
    diagonal: Float[Tensor, " M"]


@dataclass(frozen=True)
class Work:
    """How kernels are computed and kept.

    Args:
        folder: where finished rows are kept; None keeps nothing.
        threads: that share the work; all of the machine's if not given.
    """

    folder: Path | None = None
    threads: int | None = None


def grams(
    recursion: PairRecursion,
    training: TileMaps,
    held_out: TileMaps,
    key: Mapping[str, Any],
    work: Work,
    label: str | None = "kernel",
    landmarks: int | None = None,
) -> Grams:
    """The kernel of all pairs.

    Args:
        key: all that the numbers depend on, plain data.
        label: of the progress bar; None shows none.
        landmarks: how many of the training tiles, the first ones, all are paired with; None is all.
    """
    columns = landmarks or len(training)
    landmark_maps = training[:columns]
    jobs = row_jobs(len(training), len(held_out), landmarks)

    def rows(job: Job) -> Tensor:
        kind, start, stop = job
        path = row_file(key, job, work.folder)
        found = _load(path)
        if found is None:
            maps = training if kind == "training" else held_out
            mirrored = kind == "training" and start < columns
            found = tile_rows(recursion, maps, range(start, stop), landmark_maps, mirrored)
            if path:
                card = {"rows": [start, stop], "of": kind}
                write_checkpoint(path, Checkpoint(_KIND, card, {"rows": found}))
        return found

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(
        work.threads or os.cpu_count() or 1, initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        with progress_bar(label, len(jobs)) if label else nullcontext(_nothing) as advance:
            parts = []
            for part in pool.map(rows, jobs):
                parts.append(part)
                advance()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)
    return _assembled(jobs, parts, held_out)


def row_jobs(training: int, held_out: int, landmarks: int | None = None) -> list[Job]:
    """The rows of each file, for so many tiles to fit to and to predict."""
    columns = landmarks or training
    return [
        (kind, start, min(start + ROWS, end))
        for kind, first, end in (
            ("training", 0, columns),
            ("training", columns, training),
            ("held-out", 0, held_out),
        )
        for start in range(first, end, ROWS)
    ]


def row_file(key: Mapping[str, Any], job: Job, folder: Path | None) -> Path | None:
    """Where the rows of a job are kept; None without a folder."""
    if folder is None:
        return None
    name = hashlib.sha256(json.dumps({**key, "version": VERSION}).encode()).hexdigest()[:20]
    return folder / f"{name}-{job[0]}-{job[1]:05d}.safetensors"


def _nothing() -> None:
    """The step of a bar that is not shown."""


def _assembled(jobs: list[Job], parts: list[Tensor], held_out: TileMaps) -> Grams:
    """The other half of the Gram mirrored; the held-out positions' own kernel added."""
    count = sum(kind == "training" for kind, _, _ in jobs)
    gram = torch.cat(parts[:count])
    area = gram.shape[0] // jobs[count - 1][2]
    columns = gram.shape[1]
    for start in range(0, columns, area):
        stop = start + area
        gram[stop:columns, start:stop] = gram[start:stop, stop:].T
    own = held_out.own.permute(2, 0, 1).flatten()
    return Grams(gram, torch.cat(parts[count:]), own)


def tile_rows(
    recursion: PairRecursion,
    maps: TileMaps,
    tiles: range,
    columns: TileMaps,
    mirrored: bool,
) -> Float[Tensor, "R P"]:
    """Rows of some tiles; where they are `mirrored`, columns before a tile's own stay zero."""
    last = recursion.between[-1]
    area = last.rows.out_length * last.columns.out_length
    out = maps.image.new_zeros(len(tiles), len(columns), area, area)
    rows = [[(i, j) for j in range(i if mirrored else 0, len(columns))] for i in tiles]
    one = len(maps.image) > FEW_CHANNELS  # one tile against many: a matrix product of channels
    for pairs in rows if one else [list(chain(*rows))]:
        for part in torch.split(torch.tensor(pairs), _together(recursion)):
            row, column = part.unbind(1)
            first = maps[row[:1] if one else row]
            block = tile_kernel(recursion, first, columns[column]).flatten(3).flatten(0, 1)
            out[row - tiles.start, column] = block.transpose(0, 1)
    return out.transpose(1, 2).reshape(len(tiles) * area, len(columns) * area)


def _together(recursion: PairRecursion) -> int:
    """How many pairs of tiles are computed at once."""
    first, last = recursion.between[0], recursion.between[-1]
    rows, columns = (
        max(high - low for low, high in axis.needed.values())
        for axis in (first.rows, first.columns)
    )
    area = last.rows.out_length * last.columns.out_length
    most = max(_LARGEST // area**2, 1)
    return min(max(_ELEMENTS // (rows * columns), 16), 1024, most)


def _load(path: Path | None) -> Tensor | None:
    if path is None or not path.exists():
        return None
    try:
        return read_checkpoint(path, _KIND).tensors["rows"]
    except (ValueError, KeyError):
        _log.warning("%s: damaged; it is computed again.", path)
        return None
