"""One image file on disk or in an archive, and how its bytes are read: counted, never more."""

import bz2
import lzma
import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass

_LARGEST = 512 * 2**20  # bytes, stored and unpacked; a larger file is no photo
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip's member: signature, lengths of two fields
_DICTIONARY = 256 * 2**20  # bytes that LZMA may take besides; what packs photos takes far less
ENCRYPTED = -1  # in place of a compression method


class PhotoError(ValueError):
    """A photo cannot be read; one line says which one and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image file, on disk or in an archive. It holds no open file: it may fork and travel.

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
        """The file's bytes; no more of them are unpacked than the archive says there are.

        Raises:
            OSError: it can't be read, is no regular file, is cut short, unpacks to more than is
                said or than 512 MiB, or fails its checksum.
        """
        if self.archive is None:
            return _read_regular(self.path)
        if max(self.size, self.stored) > _LARGEST:
            raise OSError(f"{max(self.size, self.stored):,} bytes, at most {_LARGEST:,} are read")
        data = _unpacked(self.method, self._stored_bytes(), self.size + 1)
        if len(data) > self.size:
            raise OSError(f"it unpacks to more than the {self.size:,} bytes that the zip says")
        if len(data) != self.size:
            raise OSError(f"{len(data):,} bytes where {self.size:,} are expected")
        if self.crc is not None and zlib.crc32(data) != self.crc:
            raise OSError("the checksum in the zip does not match")
        return data

    def _stored_bytes(self) -> bytes:
        """As they lie in the archive."""
        assert self.archive is not None
        with open(self.archive, "rb") as file:
            file.seek(self.offset)
            if self.crc is not None:
                signature, *lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
                if signature != b"PK\x03\x04":
                    raise OSError("the zip is damaged at this file")
                file.seek(sum(lengths), os.SEEK_CUR)
            return file.read(self.stored)


def _unpacked(method: int, data: bytes, most: int) -> bytes:
    """The first `most` bytes of what a zip's member unpacks to.

    Raises:
        OSError: it is damaged or encrypted, or compressed in a way that is not known.
    """
    try:
        match method:
            case zipfile.ZIP_STORED:
                return data
            case zipfile.ZIP_DEFLATED:
                return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most)
            case zipfile.ZIP_BZIP2:
                return bz2.BZ2Decompressor().decompress(data, most)
            case zipfile.ZIP_LZMA:
                # A zip has 4 bytes (version, length of the properties) before the 5 properties;
                # an .lzma file has 8 bytes behind them for the size, all ones if it is not known.
                whole = data[4:9] + b"\xff" * 8 + data[9:]
                alone = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_DICTIONARY)
                return alone.decompress(whole, most)
    except (zlib.error, lzma.LZMAError) as error:
        raise OSError(str(error)) from None
    raise OSError("it is encrypted" if method == ENCRYPTED else f"compression method {method}")


def _read_regular(path: str) -> bytes:
    """The bytes of a file; a pipe, which might keep its reader waiting for ever, is not opened.

    Raises:
        OSError: it can't be read, is not a regular file, or is larger than 512 MiB.
    """
    _check_regular(os.stat(path).st_mode)
    # What became a pipe since then would without O_NONBLOCK wait for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        _check_regular(status.st_mode)
        if status.st_size > _LARGEST:
            raise OSError(f"{status.st_size:,} bytes, at most {_LARGEST:,} are read")
        return file.read(status.st_size)


def _check_regular(mode: int) -> None:
    if (kind := irregular(mode)) is not None:
        raise OSError(f"{kind}; only regular files are read")


def irregular(mode: int) -> str | None:
    """What a file that is not regular is, by its `st_mode`; None for one that is."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return None if stat.S_ISREG(mode) else kinds.get(stat.S_IFMT(mode), "a device")


def shown(path: str) -> str:
    """A path as UTF-8 text, with other bytes escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
