"""A data set that is read once and kept in memory, so that reading a photo is a copy."""

import hashlib
import itertools
import json
import logging
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from preimage.data.archives import PhotoError
from preimage.data.decoding import quiet
from preimage.data.free_memory import require_memory
from preimage.data.photo import fingerprint, fit_pixels
from preimage.data.photos import Photos, open_photos, stack_photos
from preimage.data.progress import progress_bar
from preimage.data.records import write_atomically
from preimage.data.sources import ImageSource, open_images

_CHUNK = 128  # images that a thread reads before it reports
_log = logging.getLogger(__name__)


class MemorySource(ImageSource):
    """Images of one size, all in memory: `pixels` is (len, 3, H, W) uint8."""

    def __init__(
        self,
        pixels: UInt8[Tensor, "N 3 H W"],
        names: Sequence[str],
        fingerprint: str,
        labels: np.ndarray | None = None,
        classes: tuple[str, ...] | None = None,
        problems: Iterable[str] = (),
    ) -> None:
        self.pixels = pixels.contiguous()
        self._names = tuple(names)
        self.fingerprint = fingerprint
        self.labels, self.classes, self.problems = labels, classes, tuple(problems)

    def __len__(self) -> int:
        return len(self.pixels)

    def name(self, index: int) -> str:
        """The name in the source that was read."""
        return self._names[index]

    def read(self, index: int) -> UInt8[Tensor, "3 H W"]:
        """RGB pixels."""
        return self.pixels[index]


def read_squares(
    source: ImageSource,
    size: int,
    *,
    limit: int | None = None,
    folder: Path | None = None,
    threads: int | None = None,
) -> MemorySource:
    """The source's images in memory, (len, 3, size, size) uint8: 184 MB for CIFAR-10 at 32.

    The centre square of each is resized to `size` by Lanczos, unless it has that size. Images that
    cannot be read are left out and listed in the result's `problems`.

    Args:
        limit: read only the first `limit` images.
        folder: where the pixels are kept for the next time, in a file named by the source's
            fingerprint and the size, with a checksum; a damaged one is written again.
        threads: the machine's cores, if not given.

    Raises:
        PhotoError: no image can be read.
    """
    count = min(len(source), limit or len(source))
    path = folder and folder / f"{source.fingerprint[:16]}-{size}-{count}.safetensors"
    found = _load(path, source, size) if path and path.exists() else None
    if found is None:
        pixels, problems = _read(source, size, count, threads or os.cpu_count() or 1)
        kept = np.array([i for i in range(count) if i not in problems], np.int64)
        if not len(kept):
            raise PhotoError(f"none of {count} images can be read; the first: {problems[0]}")
        found = pixels[torch.from_numpy(kept)] if problems else pixels, kept, [*problems.values()]
        if path:
            _save(path, source, size, *found)
    pixels, kept, failed = found
    return MemorySource(
        pixels,
        [source.name(i) for i in kept.tolist()],
        source.fingerprint,
        None if source.labels is None else source.labels[kept],
        source.classes,
        (*source.problems, *failed),
    )


_kept: dict[tuple[str, str, int, int | None], MemorySource] = {}
_MOST_KEPT = 4


def keep_squares(source: ImageSource, side: int, limit: int | None = None) -> MemorySource:
    """`read_squares`, once for a process: files that have changed since are read again."""
    labels = "" if source.labels is None else hashlib.sha256(source.labels.data).hexdigest()
    key = (source.fingerprint + labels, source.stamp(), side, limit)
    if key not in _kept:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = read_squares(source, side, limit=limit)
    return _kept[key]


def open_source(
    name: str,
    side: int = 0,
    *,
    labelled: bool = False,
    argument: str = "data",
    strict: bool = False,
) -> ImageSource:
    """The images of a source, read into memory as squares of `side` unless it is 0.

    Args:
        argument: what a message calls `name`.
        strict: refuse images of which it is known by now that they can't be read.

    Raises:
        ValueError: no name, or nothing there can be read.
    """
    if not name:
        raise ValueError(f"`{argument}` is missing; name a folder, a zip or shards of photos.")
    source = open_images(name, labelled=labelled)
    source = keep_squares(source, side) if side else source
    if strict:
        refuse_skipped(source)
    return source


def open_squares(
    name: str,
    side: int,
    limit: int | None = None,
    *,
    argument: str = "data",
    strict: bool = False,
) -> MemorySource:
    """The first `limit` images of a source, or all, as squares of `side` in memory.

    Images that cannot be read are named in the log, and listed in the result's `problems`; with
    `strict` they are refused.

    Raises:
        ValueError: no name, or nothing there can be read.
    """
    source = keep_squares(open_source(name, argument=argument), side, limit)
    if strict:
        refuse_skipped(source)
    for problem in source.problems:
        _log.warning("skipped: %s", problem)
    return source


def refuse_skipped(*sources: ImageSource) -> None:
    """For those who want all photos or none.

    Raises:
        PhotoError: an image of a source cannot be read; the line names the first.
    """
    problems = [problem for source in sources for problem in source.problems]
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PhotoError(
            f"{problems[0].removesuffix('.')}{more}; `strict` allows no photo to be skipped."
        )


def squares_of(
    photos: Photos, side: int, limit: int | None = None, *, argument: str = "data"
) -> MemorySource:
    """`open_squares` of a name; of photos in any other form, their squares, rounded to 8 bits.

    Raises:
        ValueError: no name, or a photo can't be read.
    """
    if isinstance(photos, str | Path):
        return open_squares(str(photos), side, limit, argument=argument)
    found = list(itertools.islice(open_photos(photos, side), limit))
    if not found:
        raise ValueError(f"`{argument}`: there are no photos.")
    squares = [fit_pixels(photo.pixels.round().byte(), side) for photo in found]
    names = [photo.name for photo in found]
    return MemorySource(torch.stack(squares), names, fingerprint(p.sha256 for p in found))


def in_memory(photos: Photos, size: int) -> MemorySource:
    """Photos in any form, of one size, rounded to 8 bits.

    Args:
        size: files and PIL images become squares of this side; others stay as they are.

    Raises:
        PhotoError: there are none, one can't be read, or they differ in size.
    """
    found = list(open_photos(photos, size))
    pixels = stack_photos(found, None).round().byte()
    names = [photo.name for photo in found]
    return MemorySource(pixels, names, fingerprint(photo.sha256 for photo in found))


_Found = tuple[Tensor, np.ndarray, list[str]]  # pixels, their numbers in the source, problems


def _read(
    source: ImageSource, size: int, count: int, threads: int
) -> tuple[Tensor, dict[int, str]]:
    what = f"{count:,} photos as squares of {size} pixels"
    require_memory(3 * count * size**2, what, "take fewer photos, or smaller ones")
    pixels = torch.empty(count, 3, size, size, dtype=torch.uint8)
    problems: dict[int, str] = {}

    def read(chunk: range) -> range:
        for index in chunk:
            try:
                pixels[index] = source.read_square(index, size)
            except PhotoError as error:
                problems[index] = str(error)
        return chunk

    chunks = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    bar = progress_bar("read", count)
    with quiet, bar as advance, ThreadPoolExecutor(threads) as pool:
        for chunk in pool.map(read, chunks):
            for _ in chunk:
                advance()
    return pixels, dict(sorted(problems.items()))


def _save(
    path: Path, source: ImageSource, size: int, pixels: Tensor, kept: np.ndarray, failed: list[str]
) -> None:
    metadata = {
        "fingerprint": source.fingerprint,
        "size": str(size),
        "sha256": _sha256(pixels),
        "problems": json.dumps(failed),
    }
    tensors = {"pixels": pixels, "kept": torch.from_numpy(kept)}
    write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata))


def _load(path: Path, source: ImageSource, size: int) -> _Found | None:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            pixels, kept = file.get_tensor("pixels"), file.get_tensor("kept").numpy()
        same = (metadata["fingerprint"], metadata["size"]) == (source.fingerprint, str(size))
        if same and metadata["sha256"] == _sha256(pixels):
            return pixels, kept, json.loads(metadata["problems"])
        reason = "its checksum or its source doesn't fit"
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        reason = str(error)
    _log.warning("%s is damaged (%s); reading again.", path, reason)
    return None


def _sha256(pixels: Tensor) -> str:
    return hashlib.sha256(pixels.numpy().data).hexdigest()
