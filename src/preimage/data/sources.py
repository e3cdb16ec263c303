"""Many images in any order: files, archives, Hugging Face datasets."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from preimage.data.archives import Entry, PhotoError, archive_stamp, expand, shown
from preimage.data.decoding import read_image
from preimage.data.photo import fit_pixels, to_pixels

#: Folder names for the parts of a data set; as class names they are a mistake.
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test"})
_MOST_CLASSES = 100_000  # ImageNet-21k has 21,841


class ImageSource(ABC):
    """Images by number, from 0 to len − 1, in an order that never changes.

    `labels` are the class numbers, (len,) int64, and `classes` the class names; both are None
    unless they were asked for. `fingerprint` is a hash over the names and sizes of the files (and
    the checksums in a zip), not over pixels; it does not depend on where the files lie. `problems`
    has one line per archive that could not be opened. No file stays open between reads, so a
    source survives forking and pickling.
    """

    fingerprint: str
    labels: np.ndarray | None = None
    classes: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, index: int) -> str:
        """The image's name, unique in the source."""

    @abstractmethod
    def read(self, index: int) -> UInt8[Tensor, "3 H W"]:
        """RGB pixels.

        Raises:
            PhotoError: the image cannot be read; one line says which one and why.
        """

    def read_square(self, index: int, side: int) -> UInt8[Tensor, "3 S S"]:
        """The central square, resized to this side. Raises as `read`."""
        return fit_pixels(self.read(index), side)

    def stamp(self) -> str:
        """Another text when a file of the source has been written since."""
        return ""

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return [self.name(index) for index in range(len(self))]


def open_images(source: str | os.PathLike[str], *, labelled: bool = False) -> ImageSource:
    """The images that a source stands for.

    ============================  ==============================================================
    `photos/`                     a folder with all its subfolders
    `photos.zip`                  a zip; `photos.zip/train` is what lies below `train` in it
    `shards-{000..003}.tar`       WebDataset shards, uncompressed; or a pattern: `shards/*.tar`
    `photos/**/*.jpg`, `a.png`    a glob pattern, one file
    `hf:owner/name:split`         a Hugging Face dataset (extra `hf`); the split defaults to `train`
    ============================  ==============================================================

    Args:
        labelled: with classes. The classes are the folders directly below the one that all
            images share, as in ImageNet's tree, in the order of their names; in shards, the .cls
            members if there are any; in a Hugging Face dataset, its first ClassLabel column.

    Raises:
        PhotoError: the source contains no readable image, or no classes although they were
            asked for.
    """
    text = os.fspath(source)
    if text.startswith("hf:"):
        return HuggingFaceSource(text, labelled=labelled)
    stamp = archive_stamp(text)
    if stamp is None:
        return _list(text, labelled)
    return _list_once(text, os.path.abspath(text), labelled, stamp)


@lru_cache(maxsize=4)  # of an archive, whose index may take seconds
def _list_once(text: str, place: str, labelled: bool, stamp: tuple[int, ...]) -> "FileSource":
    return _list(text, labelled)


def _list(text: str, labelled: bool) -> "FileSource":
    problems: list[str] = []
    entries = list(expand(text, lambda error: problems.append(str(error))))
    if not entries:
        if len(problems) == 1:
            raise PhotoError(problems[0])
        raise PhotoError(
            f"{text}: none of {len(problems)} files and archives can be read; the first: "
            f"{problems[0]}"
        )
    return FileSource(entries, labelled=labelled, problems=problems)


class FileSource(ImageSource):
    """Images from files, zips and tars; see `open_images`.

    Kept as columns, a few dozen bytes per image besides its name: millions fit in every worker.
    """

    def __init__(
        self, entries: Sequence[Entry], *, labelled: bool = False, problems: Iterable[str] = ()
    ) -> None:
        paths = [entry.path for entry in entries]
        folders = {os.path.dirname(path) for path in paths}
        root = os.path.commonpath(folders) if all(folders) else ""
        self._root = len(root) + (root not in ("", os.sep))
        encoded = [os.fsencode(path) for path in paths]
        self._paths = b"".join(encoded)
        self._ends = np.cumsum([len(path) for path in encoded])
        self._archives = tuple(dict.fromkeys(entry.archive for entry in entries))
        number = {archive: i for i, archive in enumerate(self._archives)}
        self._archive = np.array([number[entry.archive] for entry in entries], np.int32)
        self._offset, self._stored, self._size = np.array(
            [(entry.offset, entry.stored, entry.size) for entry in entries], np.int64
        ).T.copy()
        self._crc = np.array([-1 if e.crc is None else e.crc for e in entries], np.int64)
        self._method = np.array([entry.method for entry in entries], np.int16)
        self.problems = tuple(problems)
        names = [path[self._root :] for path in paths]
        self.fingerprint = _hash(zip(names, self._size.tolist(), self._crc.tolist(), strict=True))
        if labelled:
            self.classes, self.labels = _classes(names, [entry.label for entry in entries])

    def __len__(self) -> int:
        return len(self._ends)

    def name(self, index: int) -> str:
        """The path below the folder that all images share."""
        return shown(self._path(index)[self._root :])

    def read(self, index: int) -> UInt8[Tensor, "3 H W"]:
        """RGB pixels. Raises as `ImageSource.read`."""
        entry = self._entry(index)
        return to_pixels(read_image(entry.shown, entry.read))

    def read_square(self, index: int, side: int) -> UInt8[Tensor, "3 S S"]:
        """As `ImageSource.read_square`; a large picture is never whole in memory as RGB."""
        entry = self._entry(index)
        return to_pixels(read_image(entry.shown, entry.read, side))

    def stamp(self) -> str:
        """A hash of when each file or archive was last written."""
        files = {self._archives[n] for n in np.unique(self._archive)} - {None}
        loose = np.flatnonzero([self._archives[n] is None for n in self._archive])
        names = [*sorted(filter(None, files)), *(self._path(int(i)) for i in loose)]
        return _hash((name, _written(name)) for name in names)

    def _path(self, index: int) -> str:
        start = self._ends[index - 1] if index else 0
        return os.fsdecode(self._paths[start : self._ends[index]])

    def _entry(self, index: int) -> Entry:
        crc = int(self._crc[index])
        return Entry(
            self._path(index),
            int(self._size[index]),
            self._archives[self._archive[index]],
            int(self._offset[index]),
            int(self._stored[index]),
            None if crc < 0 else crc,
            int(self._method[index]),
        )


class HuggingFaceSource(ImageSource):
    """A split of a Hugging Face dataset with an image column, `hf:owner/name[:split]`.

    `fingerprint` hashes the number of rows, the columns and the file contents of 64 rows.
    """

    def __init__(self, source: str, *, labelled: bool = False) -> None:
        try:
            import datasets
        except ImportError:
            raise PhotoError(
                f"{source}: Hugging Face datasets need the package `datasets`; install "
                "preimage[hf], or give a folder, a zip or tar shards."
            ) from None
        name, _, split = source.removeprefix("hf:").partition(":")
        try:
            rows = datasets.load_dataset(name, split=split or "train")
        except Exception as error:  # of many kinds: no network, no such name, split or file
            reason = " ".join(str(error).split()) or type(error).__name__
            raise PhotoError(f"{source}: cannot be loaded ({reason}).") from None
        columns = dict(rows.features.items())
        image = _first(columns, datasets.Image)
        if image is None or not len(rows):
            raise PhotoError(f"{source}: no images; its columns are {', '.join(columns)}.")
        self._source, self._image = source, image
        self._rows = rows.cast_column(image, datasets.Image(decode=False)).select_columns([image])
        if labelled:
            label = _first(columns, datasets.ClassLabel)
            if label is None:
                raise PhotoError(
                    f"{source}: no classes; none of its columns is a ClassLabel: "
                    f"{', '.join(columns)}."
                )
            self.classes = tuple(columns[label].names)
            self.labels = np.asarray(rows[label][:], np.int64)
        sample = np.unique(np.linspace(0, len(rows) - 1, 64).astype(int)).tolist()
        self.fingerprint = _hash(
            [(len(rows), columns), *((hashlib.sha256(self._bytes(i)).hexdigest(),) for i in sample)]
        )

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, index: int) -> str:
        """The source and the row's number."""
        return f"{self._source}[{index}]"

    def read(self, index: int) -> UInt8[Tensor, "3 H W"]:
        """RGB pixels. Raises as `ImageSource.read`."""
        return to_pixels(read_image(self.name(index), lambda: self._bytes(index)))

    def _bytes(self, index: int) -> bytes:
        cell: dict[str, Any] = self._rows[index][self._image]
        return cell["bytes"] or Entry(cell["path"], 0).read()


def _classes(
    names: Sequence[str], labels: Sequence[str | None]
) -> tuple[tuple[str, ...], np.ndarray]:
    """The class names, and the class number of each image."""
    given = [label for label in labels if label is not None]
    if given and len(given) < len(labels):
        at = names[next(i for i, label in enumerate(labels) if label is None)]
        raise PhotoError(f"{shown(at)}: no .cls member beside it, though other images have one.")
    if given and all(label.isascii() and label.isdigit() for label in given):
        numbers = np.array(
            [_class_number(*one) for one in zip(names, given, strict=True)], np.int64
        )
        return tuple(str(i) for i in range(int(numbers.max()) + 1)), numbers
    of_image = given or [name.split("/", 1)[0] for name in names]
    if not given and any("/" not in name for name in names):
        loose = next(name for name in names if "/" not in name)
        raise PhotoError(
            f"{shown(loose)}: not in a class folder; classes need one folder per class, and "
            "at least two of them."
        )
    classes = sorted(set(of_image))
    if not given and _SPLITS.issuperset(name.lower() for name in classes):
        raise PhotoError(
            f"the folders {', '.join(classes)} are parts of a data set, not classes; name one of "
            f"them, such as `photos.zip/{classes[-1]}` or `photos/{classes[-1]}`."
        )
    number = {name: i for i, name in enumerate(classes)}
    return tuple(shown(name) for name in classes), np.array([number[c] for c in of_image], np.int64)


def _class_number(name: str, label: str) -> int:
    """A class number of a shard; every number below it becomes a class too."""
    if len(label.lstrip("0")) > 9 or int(label) >= _MOST_CLASSES:
        raise PhotoError(
            f"{shown(name)}: its class number is {label[:24]}, and must be below {_MOST_CLASSES:,}."
        )
    return int(label)


def _first(columns: dict[str, Any], kind: type) -> str | None:
    return next((name for name, feature in columns.items() if isinstance(feature, kind)), None)


def _written(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:  # gone since; reading it says so
        return 0


def _hash(rows: Iterable[tuple[object, ...]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update("\0".join(map(str, row)).encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
