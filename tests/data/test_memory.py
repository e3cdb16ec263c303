"""Photos read once into memory, and the file that keeps them."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from photo_files import FILES
from PIL import Image, ImageOps

from preimage.data.memory import open_source, open_squares, read_squares
from preimage.data.sources import open_images


def test_read_squares(folder: Path, tmp_path: Path) -> None:
    (folder / "猫" / "broken.png").write_bytes(FILES["été/a.png"][:60])
    source = open_images(folder, labelled=True)
    decoded = read_squares(source, 5, threads=2)
    assert decoded.names == [name for name in source.names if "broken" not in name]
    assert source.labels is not None
    assert decoded.labels is not None
    assert decoded.labels.tolist() == [0, 0, 1, 1, 1]
    assert decoded.classes == source.classes
    assert decoded.fingerprint == source.fingerprint
    assert len(decoded.problems) == 1
    assert read_squares(source, 5, limit=2).names == decoded.names[:2]
    square = ImageOps.fit(
        Image.open(folder / "été" / "a.png").convert("RGB"), (5, 5), Image.Resampling.LANCZOS
    )
    np.testing.assert_array_equal(decoded.read(0).permute(1, 2, 0), np.asarray(square))


def test_read_squares_keeps_a_file(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "été" / "0.png").write_bytes(b"")
    source = open_images(folder, labelled=True)
    cache = tmp_path / "cache"
    first = read_squares(source, 5, folder=cache)
    (file,) = cache.iterdir()
    assert file.name == f"{source.fingerprint[:16]}-5-6.safetensors"
    for path in folder.rglob("*.png"):
        path.write_bytes(b"x" * path.stat().st_size)  # the fingerprint can't tell
    again = read_squares(open_images(folder, labelled=True), 5, folder=cache)
    assert torch.equal(again.pixels, first.pixels)
    assert (again.names, again.problems) == (first.names, first.problems)
    assert not caplog.records
    damage: list[Callable[[bytes], bytes]] = [
        lambda data: data[:-3],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"",
    ]
    whole = file.read_bytes()
    for change in damage:
        file.write_bytes(change(whole))
        caplog.clear()
        assert len(read_squares(source, 5, folder=cache)) == 1  # what is left to decode
        assert "is damaged" in caplog.text
    assert file.read_bytes() != whole


def test_files_that_changed_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same name and size: only the time of writing tells them apart."""
    for name, grey in (("one", 10), ("other", 200)):
        (tmp_path / name / "photos").mkdir(parents=True)
        Image.new("RGB", (4, 4), (grey, grey, grey)).save(tmp_path / name / "photos" / "a.bmp")
    monkeypatch.chdir(tmp_path / "one")
    first = open_squares("photos", 4)
    assert open_squares("photos", 4) is first
    assert first.pixels.unique().tolist() == [10]
    monkeypatch.chdir(tmp_path / "other")
    assert open_squares("photos", 4).pixels.unique().tolist() == [200]
    Image.new("RGB", (4, 4), (30, 30, 30)).save("photos/a.bmp")
    os.utime("photos/a.bmp", ns=(1, 1))
    assert open_squares("photos", 4).pixels.unique().tolist() == [30]
    assert open_source("photos", 4) is open_source("photos", 4)
