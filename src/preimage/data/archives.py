"""The image files that a source stands for: a folder, a zip, tar shards, a pattern, or one file."""

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from glob import has_magic
from pathlib import Path, PurePosixPath

from preimage.data.entries import ENCRYPTED, irregular
from preimage.data.entries import Entry as Entry
from preimage.data.entries import PhotoError as PhotoError
from preimage.data.entries import shown as shown
from preimage.data.patterns import parts

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")

OnError = Callable[[PhotoError], None]


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
    for part in parts(source):
        try:
            yield from _expand_one(part)
        except (OSError, zipfile.BadZipFile, tarfile.TarError, PhotoError) as error:
            if not isinstance(error, PhotoError):
                error = PhotoError(f"{shown(part)}: can't be read ({error}).")
            if on_error is None:
                raise error from None
            on_error(error)


def archive_stamp(source: str) -> tuple[int, ...] | None:
    """Another value when the file that a source is, or is part of, has been written since.

    None where a source is no file: a folder, a pattern, nothing.
    """
    path = Path(source)
    try:
        file = next((place for place in (path, *path.parents) if place.is_file()), None)
        status = file.stat() if file else None
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size) if status else None


def _expand_one(source: str) -> Iterator[Entry]:
    if not source:
        raise PhotoError("a photo's name is empty; name a file or a folder (`.` for this one).")
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
        elif path.suffix.lower() == ".zip":
            raise PhotoError(f"{shown(source)}: not a whole zip (its end is missing or damaged).")
        else:
            yield Entry(path.as_posix(), path.stat().st_size)
    else:
        archive = next((parent for parent in path.parents if parent.is_file()), None)
        if archive is not None and zipfile.is_zipfile(archive):
            yield from _expand_zip(archive.as_posix(), path.relative_to(archive).as_posix())
        elif path.exists() and (kind := irregular(path.stat().st_mode)):
            raise PhotoError(f"{shown(source)}: {kind}; only regular files are read.")
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
            method=ENCRYPTED if encrypted else info.compress_type,
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
