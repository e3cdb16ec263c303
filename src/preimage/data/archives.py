"""The image files that a source stands for: a folder, a zip, tar shards, a pattern, or one file.

An `Entry` says where the bytes of a file lie and opens the file afresh for each read. It holds no
open file, so it survives forking and pickling.
"""

import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from itertools import product
from pathlib import Path, PurePosixPath

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_LARGEST = 512 * 2**20  # bytes; a photo in an archive that unpacks to more is refused
_BRACES = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}")
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip's member: signature, lengths of two fields

OnError = Callable[["PhotoError"], None]


class PhotoError(ValueError):
    """A photo cannot be read; one line says which one and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image file, on disk or in an archive.

    `path` is the file itself, or the archive followed by the member's name. `offset` is where the
    member of a tar, or its local header in a zip, begins; `stored` and `size` count bytes before
    and after unpacking. `crc` and `method` are the checksum and the compression method of a zip.
    `label` is the text of the .cls file in a tar shard.
    """

    path: str
    size: int
    archive: str | None = None
    offset: int = 0
    stored: int = 0
    crc: int | None = None
    method: int = zipfile.ZIP_STORED
    label: str | None = None

    @property
    def shown(self) -> str:
        """The path as text: a name on disk need not be UTF-8, but a record must be."""
        return shown(self.path)

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            OSError: it can't be read, is cut short, or fails its checksum.
        """
        if self.archive is None:
            return Path(self.path).read_bytes()
        if self.size > _LARGEST:
            raise OSError(f"unpacks to {self.size:,} bytes")
        if self.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            with zipfile.ZipFile(self.archive) as archive:
                infos = archive.infolist()
                return archive.read(next(i for i in infos if i.header_offset == self.offset))
        with open(self.archive, "rb") as file:
            file.seek(self.offset)
            if self.crc is not None:
                signature, *lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
                if signature != b"PK\x03\x04":
                    raise OSError("the zip is damaged at this file")
                file.seek(sum(lengths), os.SEEK_CUR)
            data = file.read(self.stored)
        if self.method == zipfile.ZIP_DEFLATED:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _LARGEST)
        if len(data) != self.size:
            raise OSError(f"{len(data):,} bytes where {self.size:,} are expected")
        if self.crc is not None and zlib.crc32(data) != self.crc:
            raise OSError("the checksum in the zip does not match")
        return data


def shown(path: str) -> str:
    """A path as UTF-8 text, with other bytes escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def expand(source: str, on_error: OnError | None = None) -> Iterator[Entry]:
    """The image files of a source, sorted by name.

    A source is a folder with all its subfolders, an image, a zip or part of one
    (`photos.zip/train`), an uncompressed tar, a glob pattern (`shards/*.tar`), or a brace pattern
    (`shards-{000..003}.tar`) of any of these.

    Args:
        on_error: called with the `PhotoError` of each file or archive that cannot be read; the
            others are still processed. Without it the error is raised.

    Raises:
        PhotoError: the source does not exist, is unreadable or contains no image.
    """
    for part in _parts(source):
        try:
            yield from _expand_one(part)
        except (OSError, zipfile.BadZipFile, tarfile.TarError, PhotoError) as error:
            if not isinstance(error, PhotoError):
                error = PhotoError(f"{shown(part)}: can't be read ({error}).")
            if on_error is None:
                raise error from None
            on_error(error)


def _parts(source: str) -> list[str]:
    if os.path.lexists(source):
        return [source]
    if _BRACES.search(source):
        return [part for text in _expand_braces(source) for part in _parts(text)]
    if has_magic(source):
        return sorted(glob(source, recursive=True)) or [source]
    return [source]


def _expand_braces(pattern: str) -> list[str]:
    """Expands `{000..003}` and `{a,b}`, as a shell does."""
    pieces, choices, end = [], [], 0
    for match in _BRACES.finditer(pattern):
        first, last, words = match.groups()
        if words is None:
            step = 1 if int(last) >= int(first) else -1
            numbers = range(int(first), int(last) + step, step)
            choices.append([str(number).zfill(len(first)) for number in numbers])
        else:
            choices.append(words.split(","))
        pieces.append(pattern[end : match.start()])
        end = match.end()
    tail = pattern[end:]
    return [
        "".join(a + b for a, b in zip(pieces, chosen, strict=True)) + tail
        for chosen in product(*choices)
    ]


def _expand_one(source: str) -> Iterator[Entry]:
    path = Path(source)
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if _is_image(file.name) and not file.is_dir()
        )
        if not files:
            raise PhotoError(f"{shown(source)}: no photo in this folder; expected {_suffixes()}.")
        for file in files:
            # A dead link has no size; it is reported when it is read.
            yield Entry(file.as_posix(), file.stat().st_size if file.exists() else 0)
    elif path.is_file():
        if source.lower().endswith(_TAR_SUFFIXES):
            yield from _expand_tar(path.as_posix())
        elif zipfile.is_zipfile(path):
            yield from _expand_zip(path.as_posix(), "")
        else:
            yield Entry(path.as_posix(), path.stat().st_size)
    else:
        archive = next((parent for parent in path.parents if parent.is_file()), None)
        if archive is not None and zipfile.is_zipfile(archive):
            yield from _expand_zip(archive.as_posix(), path.relative_to(archive).as_posix())
        elif has_magic(source):
            raise PhotoError(f"{shown(source)}: no file matches this pattern.")
        else:
            raise PhotoError(f"{shown(source)}: no such file or folder.")


def _expand_zip(archive: str, part: str) -> Iterator[Entry]:
    """The images of a zip: all of them, all below `part`, or `part` itself."""
    with zipfile.ZipFile(archive) as opened:
        members = [info for info in opened.infolist() if _is_image(info.filename)]
    if part:
        members = [m for m in members if m.filename == part or m.filename.startswith(f"{part}/")]
    if not members:
        where = (
            f"{shown(archive)}/{part}: no photo there" if part else f"{shown(archive)}: no photo"
        )
        raise PhotoError(f"{where} in this zip; expected {_suffixes()}.")
    for info in sorted(members, key=lambda info: info.filename):
        encrypted = info.flag_bits & 1
        yield Entry(
            path=_inside(archive, info.filename),
            size=info.file_size,
            archive=archive,
            offset=info.header_offset,
            stored=info.compress_size,
            crc=info.CRC,
            method=-1 if encrypted else info.compress_type,
        )


def _expand_tar(archive: str) -> Iterator[Entry]:
    """The images of a tar, and the classes that WebDataset's .cls members give them."""
    images: dict[str, tarfile.TarInfo] = {}
    labels: dict[str, str] = {}
    damage: tarfile.ReadError | None = None
    try:
        with tarfile.open(archive, "r:") as opened:
            for member in opened:
                key, suffix = _sample_key(member.name)
                if member.isfile() and suffix == "cls":
                    file = opened.extractfile(member)
                    labels[key] = file.read(1000).decode(errors="replace").strip() if file else ""
                elif member.isfile() and _is_image(member.name):
                    images[member.name] = member
    except tarfile.ReadError as error:
        damage = error
    for name, member in sorted(images.items()):
        yield Entry(
            path=_inside(archive, name),
            size=member.size,
            archive=archive,
            offset=member.offset_data,
            stored=member.size,
            label=labels.get(_sample_key(name)[0]),
        )
    if damage is not None:
        raise PhotoError(
            f"{shown(archive)}: not a complete, uncompressed tar ({damage}); "
            "unpack compressed ones, which do not allow random access."
        )
    if not images:
        raise PhotoError(f"{shown(archive)}: no photo in this tar; expected {_suffixes()}.")


def _inside(archive: str, name: str) -> str:
    return (PurePosixPath(archive) / name.lstrip("/")).as_posix()


def _sample_key(name: str) -> tuple[str, str]:
    """WebDataset's key and extension: the file's name up to its first dot, and the rest."""
    folder, _, file = name.rpartition("/")
    stem, _, suffix = file.partition(".")
    return f"{folder}/{stem}", suffix


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))
