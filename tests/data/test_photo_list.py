"""Photos as a sequence that reads each when it is asked for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preimage.data.archives import PhotoError
from preimage.data.photo_list import PhotoList
from preimage.data.photos import load_photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for shade, name in enumerate(("a", "b", "c", "d")):
        Image.fromarray(np.full((9, 7, 3), 40 * shade, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_bytes(b"no picture")
    return tmp_path


def shades(photos: PhotoList) -> list[float]:
    return [float(photo.pixels[0, 0, 0]) for photo in photos]


def test_nothing_is_read_before_it_is_asked_for(folder: Path) -> None:
    photos = load_photos(folder, None)
    assert (len(photos), photos.names) == (4, ["a", "b", "c", "d"])
    assert photos[1].size == (9, 7)
    assert photos[-1].name == "d"
    assert repr(photos) == "4 photos: a, b, c, …"
    with pytest.raises(PhotoError, match=r"c\.png: not an image"):
        photos[2]
    with pytest.raises(IndexError, match="there are 4 photos, got index -5"):
        photos[-5]


def test_slices_are_sequences_with_the_same_names(folder: Path) -> None:
    photos = load_photos([folder / "a.png", folder / "a.png", folder / "b.png"], None)
    assert [photo.name for photo in photos[::-1]] == ["b", "a-2", "a"]
    assert shades(photos[1:]) == [0.0, 40.0]
    assert photos[5:].names == []
    assert repr(photos[:1]) == "1 photo: a"


def test_those_that_cannot_be_read_are_told_once_and_left_out(folder: Path) -> None:
    errors: list[PhotoError] = []
    photos = load_photos(folder, None, errors.append)
    assert not errors
    assert photos[1].name == "b"
    assert not errors
    assert len(photos) == 3
    assert shades(photos) == shades(photos) == [0.0, 40.0, 120.0]
    assert photos[-1].name == "d"
    assert len(errors) == 1


def test_what_is_missing_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no such file"):
        load_photos(tmp_path / "missing.png")


def test_in_a_notebook_a_photo_that_cannot_be_read_is_its_error(folder: Path) -> None:
    html = load_photos(folder, None)._repr_html_()
    assert html.count("<img") == 3
    assert "not an image that Pillow can read" in html
    assert list(load_photos(folder / "b.png", None).to_frame()["height"]) == [9]
