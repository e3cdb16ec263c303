import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from preimage.data.photo import Photo, embedded_photos
from preimage.scores.metrics import grey_scores
from preimage.sweeps.reconstruction import score


@pytest.fixture
def outputs(generator: torch.Generator) -> tuple[list[Photo], list[torch.Tensor]]:
    """Photos of two sizes in turn, and noise."""
    pairs = zip(embedded_photos(32), embedded_photos(40), strict=True)
    photos = [photo for pair in pairs for photo in pair]
    shapes = [(1, 3, *photo.pixels.shape[-2:]) for photo in photos]
    return photos, [torch.randn(shape, generator=generator) for shape in shapes]


def test_scores_are_those_of_each_photo_alone(
    outputs: tuple[list[Photo], list[torch.Tensor]],
) -> None:
    for photo, output, result in zip(*outputs, score(*outputs), strict=True):
        alone = grey_scores(photo.pixels[None], output)
        assert result.photo is photo
        assert torch.equal(result.colour, output[0])
        assert result.ssim == pytest.approx(float(alone.ssim), abs=1e-6)
        assert result.pearson == pytest.approx(float(alone.pearson), abs=1e-6)
        assert result.mse == pytest.approx(float(alone.mse), abs=1e-6)
        assert result.inverted == bool(alone.inverted)
        torch.testing.assert_close(result.grey, alone.picture[0])


def test_the_photo_itself_is_perfect_and_its_negative_is_inverted() -> None:
    photo = embedded_photos(32)[1]
    same, negative = score([photo, photo], [photo.pixels[None], 255 - photo.pixels[None]])
    assert same.ssim == pytest.approx(1, abs=1e-6)
    assert (same.inverted, negative.inverted) == (False, True)
    assert same.pearson == pytest.approx(1, abs=1e-5)
    assert negative.pearson == pytest.approx(-1, abs=1e-5)


def test_an_infinite_psnr_is_none_in_a_record() -> None:
    photo = embedded_photos(32)[1]
    (result,) = score([photo], [photo.pixels[None]])
    record = json.loads(json.dumps(replace(result, psnr=math.inf).record(), allow_nan=False))
    assert record["psnr"] is None
    assert record["photo_sha256"] == photo.sha256


def test_the_saved_picture_is_the_grey_one(tmp_path: Path) -> None:
    photo = embedded_photos(32)[1]
    (result,) = score([photo], [255 - photo.pixels[None]])
    result.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.mode == "L"
        saved = torch.from_numpy(np.asarray(picture).copy()) / 255
    torch.testing.assert_close(saved, result.grey, atol=0.5 / 255 + 1e-6, rtol=0)
