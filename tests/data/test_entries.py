"""Files as they are read: regular ones only, and no more bytes than an archive says."""

import io
import os
import socket
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from photo_files import encoded, make_zip
from PIL import Image

from preimage.data import entries
from preimage.data.archives import expand
from preimage.data.entries import Entry, PhotoError
from preimage.data.photos import load_photos


def test_a_pipe_in_a_folder_is_named_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded())
    os.mkfifo(tmp_path / "b.png")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(tmp_path / "c.png"))
        (tmp_path / "d.png").symlink_to("/dev/zero")
        errors: list[PhotoError] = []
        photos = list(load_photos(tmp_path, None, errors.append))
    assert [photo.name for photo in photos] == ["a"]
    kinds = ("pipe", "socket", "device")
    for error, name, kind in zip(errors, "bcd", kinds, strict=True):
        assert str(error).endswith(
            f"{name}.png: can't be read (a {kind}; only regular files are read)."
        )
    with pytest.raises(PhotoError, match="a device; only regular files are read"):
        list(expand("/dev/zero"))


def test_a_file_larger_than_any_photo_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "_LARGEST", 20)
    (tmp_path / "a.png").write_bytes(encoded())
    with pytest.raises(OSError, match=r"\d+ bytes, at most 20 are read"):
        Entry(str(tmp_path / "a.png"), 0).read()


def falsified(data: bytes, size: int) -> bytes:
    """A zip of one member whose directory says another size."""
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_more_is_unpacked_than_a_zip_says(tmp_path: Path, method: int) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.png": b"\0" * 20_000_000}, method)
    (tmp_path / "b.zip").write_bytes(falsified(path.read_bytes(), 1000))
    (entry,) = expand(str(tmp_path / "b.zip"))
    tracemalloc.start()
    try:
        with pytest.raises(OSError, match="more than the 1,000 bytes that the zip says"):
            entry.read()
        assert tracemalloc.get_traced_memory()[1] < 10_000_000  # of which LZMA's dictionary is 8
    finally:
        tracemalloc.stop()


def test_an_encapsulated_program_is_not_run(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (9, 7)).save(stream, "EPS")
    (tmp_path / "a.png").write_bytes(stream.getvalue())
    with pytest.raises(PhotoError, match="not an image that Pillow can read"):
        list(load_photos(tmp_path / "a.png"))
