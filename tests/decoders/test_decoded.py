"""Photos through an inverter and back, with the scores of what came back."""

import pytest
import torch
from torch import Tensor

from preimage.data.archives import PhotoError
from preimage.data.each_photo import Interrupted
from preimage.data.photo import embedded_photos
from preimage.decoders.decoded import DecodedPhotos, decode_photos

PHOTOS = embedded_photos(20)[:3]


def brighter(pixels: Tensor) -> Tensor:
    return pixels + 5


def test_each_photo_comes_back_with_its_scores() -> None:
    results = decode_photos(brighter, PHOTOS, None)
    assert isinstance(results[:2], DecodedPhotos)
    for photo, result in zip(PHOTOS, results, strict=True):
        clipped = (photo.pixels + 5).clamp(0, 255)
        assert result.mse == pytest.approx(float((clipped - photo.pixels).square().mean()))
        assert torch.equal(result.pixels, photo.pixels + 5)
    assert repr(results[0]).startswith("Decoded(astronaut, 20×20 pixels: PSNR 3")
    assert results._repr_html_().count("<img") == 3
    assert list(results.to_frame()["photo"]) == ["astronaut", "chelsea", "coffee"]


def test_without_a_photo_the_embedded_ones_and_a_record_without_infinity() -> None:
    results = decode_photos(lambda pixels: pixels, None, 16)
    assert len(results) == 4
    assert results[0].record()["psnr"] is None


def test_an_interrupt_keeps_the_photos_before() -> None:
    calls: list[int] = []

    def interrupted(pixels: Tensor) -> Tensor:
        calls.append(0)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return pixels

    with pytest.raises(Interrupted, match="2 of the photos are finished") as raised:
        decode_photos(interrupted, PHOTOS, None)
    assert [one.photo.name for one in raised.value.results] == ["astronaut", "chelsea"]


def test_too_small_a_photo_is_named() -> None:
    with pytest.raises(PhotoError, match="needs at least 11×11 pixels"):
        decode_photos(brighter, torch.zeros(3, 9, 7), None)
