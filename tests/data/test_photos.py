"""Photos as people have them: one photo in many forms, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from preimage.data.archives import PhotoError
from preimage.data.photo import Photo
from preimage.data.photos import load_photos, open_photo, stack_photos

ARRAY = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
TENSOR = torch.from_numpy(ARRAY).movedim(2, 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Image.fromarray(ARRAY).save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


def test_one_photo_in_every_form(file: Path) -> None:
    forms: list[Any] = [
        str(file),
        file,
        file.parent,
        Image.open(file),
        Image.fromarray(ARRAY),
        ARRAY,
        ARRAY.astype(np.float64),
        ARRAY.astype(np.int64),
        TENSOR,
        TENSOR.float(),
        Photo("cat", "here", TENSOR.float()),
    ]
    for form in forms:
        for sources in (form, [form]):
            (photo,) = load_photos(sources, None)
            assert torch.equal(photo.pixels, TENSOR.float()), form
            assert photo.pixels.dtype == torch.float32
    both = [*load_photos(forms, None)]
    assert len({photo.name for photo in both}) == len(forms)
    assert [photo.name for photo in both][:4] == ["cat", "cat-2", "cat-3", "cat-4"]
    assert torch.equal(stack_photos(forms, None), TENSOR.float().expand(len(forms), -1, -1, -1))


def test_batches_are_taken_apart() -> None:
    arrays, tensors = np.stack([ARRAY] * 2), torch.stack([TENSOR] * 3)
    assert stack_photos([arrays, tensors], None).shape == (5, 3, 9, 7)
    assert [photo.name for photo in load_photos(arrays)] == ["photo", "photo-2"]


def test_pictures_are_resized_and_pixels_are_not(file: Path) -> None:
    shapes = [
        tuple(photo.pixels.shape)
        for photo in load_photos([file, Image.fromarray(ARRAY), ARRAY, TENSOR], 5)
    ]
    assert shapes == [(3, 5, 5), (3, 5, 5), (3, 9, 7), (3, 9, 7)]


def test_grey_becomes_rgb() -> None:
    (photo,) = load_photos(ARRAY[..., 0])
    assert torch.equal(photo.pixels, TENSOR[:1].float().expand(3, -1, -1))


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (TENSOR.movedim(0, 2), r"tensors of `photos` must be \(3, H, W\) .*got \(9, 7, 3\)"),
        (TENSOR[None, None], r"tensors of `photos` must be"),
        (TENSOR.numpy(), r"arrays of `photos` must be \(H, W, 3\) .*channels first"),
        (TENSOR / 255, r"got values in \[0, 1\]; multiply them by 255"),
        (TENSOR.float() - 120, "before any normalisation"),
        (TENSOR.float() * torch.nan, "got values from nan to nan"),
        (7, "must be paths, `Photo`s, PIL images, .*got int"),
        ([], "`photos`: there are none"),
        ([ARRAY, ARRAY[:5]], "`photos` must have one size, got 9×7 and 5×7"),
    ],
)
def test_what_is_refused(sources: Any, message: str, no_hint_checks: None) -> None:
    with pytest.raises(PhotoError, match=message):
        stack_photos(sources, None)


def test_those_that_fail_are_told_and_the_others_follow() -> None:
    errors: list[PhotoError] = []
    photos = list(load_photos([TENSOR / 255, TENSOR], None, errors.append))
    assert len(photos) == len(errors) == 1


def test_a_single_photo() -> None:
    assert torch.equal(open_photo(ARRAY, None).pixels, TENSOR.float())
    with pytest.raises(PhotoError, match="`photo`: contains several photos"):
        open_photo([ARRAY, ARRAY], None)


def test_a_size_is_a_side_or_height_and_width(tmp_path: Path) -> None:
    Image.fromarray(ARRAY).save(tmp_path / "cat.png")
    for source in (tmp_path, Image.fromarray(ARRAY)):
        assert load_photos(source, (6, 4))[0].size == (6, 4)
        assert load_photos(source, 5)[0].size == (5, 5)
        expected = ImageOps.fit(Image.fromarray(ARRAY), (4, 6), Image.Resampling.LANCZOS)
        assert np.array_equal(load_photos(source, (6, 4))[0].image, expected)
    with pytest.raises(ValueError, match=r"`size` must be positive, got \(0, 4\)"):
        load_photos(tmp_path, (0, 4))[0]
