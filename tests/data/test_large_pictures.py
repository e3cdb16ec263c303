"""Large pictures, with a threshold that small ones pass: shrunk while they are read."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from preimage.data import free_memory, large_pictures
from preimage.data.photo import PhotoError, embedded_photos
from preimage.data.photos import load_photos
from preimage.data.sources import open_images

SIDE = 24


@pytest.fixture
def picture() -> Image.Image:
    (astronaut, *_) = embedded_photos(400)
    whole = Image.fromarray(astronaut.pixels.byte().permute(1, 2, 0).numpy())
    return whole.crop((0, 40, 400, 351))


def read(path: Path, size: int | None = SIDE) -> np.ndarray:
    (photo,) = load_photos(path, size)
    return photo.pixels.numpy()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "grey.png", "palette.png", "clear.png"])
def test_they_look_like_the_whole_ones(
    picture: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    mode = {"grey.png": "L", "palette.png": "P", "clear.png": "RGBA"}.get(name, "RGB")
    picture = picture.convert(mode)
    if mode == "RGBA":
        picture.putalpha(130)
    picture.getexif()[0x0112] = 6  # lies on its side
    picture.save(
        tmp_path / name, exif=picture.getexif(), **({"quality": 95} if "j" in name else {})
    )
    whole, kept = read(tmp_path / name), read(tmp_path / name, None)
    monkeypatch.setattr(large_pictures, "LARGE", 1000)
    monkeypatch.setattr(large_pictures, "_STRIP", 5000)
    small = read(tmp_path / name)
    assert abs(small - whole).mean() < 3
    source = open_images(tmp_path / name)
    np.testing.assert_array_equal(source.read_square(0, SIDE), small.astype(np.uint8))
    np.testing.assert_array_equal(read(tmp_path / name, None), kept)


@pytest.mark.parametrize(
    ("words", "size", "most"),
    [
        ({}, SIDE, None),  # in pieces
        ({}, None, "100,000"),
        ({"progressive": True}, SIDE, "100,000"),
        ({"format": "PNG"}, SIDE, "100,000"),
    ],
)
@pytest.mark.parametrize("bomb", [10_000, 100_000])  # where Pillow refuses, and where it does not
def test_pictures_of_too_many_pixels(
    picture: Image.Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: dict[str, Any],
    size: int | None,
    most: str | None,
    bomb: int,
) -> None:
    picture.save(tmp_path / "a.jpg", **words)
    whole = read(tmp_path / "a.jpg")
    monkeypatch.setattr(large_pictures, "LARGE", 1000)
    monkeypatch.setattr(large_pictures, "_most", 100_000)  # it has 124,400
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", bomb)
    if most is None:
        assert abs(read(tmp_path / "a.jpg") - whole).mean() < 4
        monkeypatch.setattr(large_pictures, "_most_in_pieces", 110_000)
    said = rf"a\.jpg: too many pixels \(over {most or '110,000'}\); shrink the picture first\.$"
    with pytest.raises(PhotoError, match=said):
        read(tmp_path / "a.jpg", size)


def test_scans_of_single_colours_are_held_whole(picture: Image.Image) -> None:
    """A baseline JPEG may have a scan for each colour; its first one then names one, not three."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG")
    data = stream.getvalue()
    assert large_pictures._in_one_scan(Image.open(io.BytesIO(data)), data)  # type: ignore[arg-type]
    start = data.index(b"\xff\xda\x00\x0c\x03")
    single = data[:start] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + data[start + 14 :]
    assert not large_pictures._in_one_scan(Image.open(io.BytesIO(single)), single)  # type: ignore[arg-type]


def test_a_square_of_a_photo_is_that_of_its_pixels(picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "a.png")
    source = open_images(tmp_path / "a.png")
    by_pixels = super(type(source), source).read_square(0, SIDE)
    assert torch.equal(source.read_square(0, SIDE), by_pixels)


def test_one_that_does_not_fit_is_refused(
    picture: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture.save(tmp_path / "a.png")
    monkeypatch.setattr(large_pictures, "LARGE", 1000)
    monkeypatch.setattr(free_memory, "free_memory", lambda device: 400_000)
    said = r"a\.png: a picture of 400×311 pixels needs about 0\.498 MB of memory.*; shrink it first"
    with pytest.raises(PhotoError, match=said):
        read(tmp_path / "a.png")
