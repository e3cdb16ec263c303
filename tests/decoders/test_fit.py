"""A decoder fitted from option sets: the photos and windows that it saw, and its file."""

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from preimage.data.archives import PhotoError
from preimage.data.memory import open_squares
from preimage.decoders.fit import fit_decoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.least_squares import LeastSquaresDecoder
from preimage.decoders.options import EncoderOptions
from preimage.decoders.ridge import fit_least_squares
from preimage.network.build import build
from preimage.network.spec import EncoderSpec
from preimage.network.trace import alignment

OPTIONS = EncoderOptions(spec=EncoderSpec(layer="conv2", width=4, slope=0.2), seed=3)


@pytest.mark.parametrize(
    ("words", "photos_seen", "windows"),
    [
        ({}, 20, 20 * 10 * 10),
        ({"photos": 12, "positions": 7, "window": 1}, 12, 12 * 7),
    ],
)
def test_equals_the_fit_of_the_same_photos(
    words: dict[str, int], photos_seen: int, windows: int, photos: Path, tmp_path: Path
) -> None:
    found = fit_decoder(
        OPTIONS, str(photos), tmp_path / "d.safetensors", size=20, device="cpu", **words
    )
    assert isinstance(found.decoder, LeastSquaresDecoder)
    assert (found.decoder.record.photos, found.decoder.record.samples) == (photos_seen, windows)
    encoder = build(OPTIONS.description(), "gaussian:fan-in", seed=3)
    expected = fit_least_squares(
        encoder,
        [open_squares(str(photos), 20, words.get("photos")).pixels.float()],
        alignment(encoder.description),
        window=words.get("window", 3),
        positions=words.get("positions"),
        seed=3,
    )
    assert torch.equal(found.decoder.weight, expected.weight)
    again = Inverter.load(tmp_path / "d.safetensors")
    pixels = torch.arange(3.0 * 21 * 18).view(1, 3, 21, 18) % 256
    assert torch.equal(again(pixels), found(pixels))
    assert again.card["training"]["photos"] == photos_seen


def test_photos_that_cannot_be_read_are_named_and_counted(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    shutil.copytree(photos, data)
    (data / "bad.png").write_bytes(b"not an image")
    found = fit_decoder(OPTIONS, data, tmp_path / "d.safetensors", size=20, window=1, device="cpu")
    (skipped,) = found.card["training"]["skipped"]
    assert skipped.startswith(f"{data}/bad.png: ")
    assert caplog.messages == [f"skipped: {skipped}"]
    assert found.card["training"]["photos"] == 20
    with pytest.raises(PhotoError, match=r"bad\.png: .*`strict` allows no photo to be skipped"):
        fit_decoder(OPTIONS, data, tmp_path / "e.safetensors", size=20, device="cpu", strict=True)
    assert not (tmp_path / "e.safetensors").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "`out` is empty; name a file"),
        ("folder", "`out` must be a file, got .*, which is a folder"),
        ("file/d.safetensors", "`out` must be a folder, got .* is a file or a dead link"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    name: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=message):
        fit_decoder(OPTIONS, "nowhere", tmp_path / name if name else "", device="cpu")


def test_photos_of_any_form(photos: Path, tmp_path: Path) -> None:
    """A tensor gives what the files give, and so do PIL images and `Photo`s."""
    files = sorted(photos.rglob("*.png"))
    pixels = open_squares(str(photos), 20).pixels
    forms = [str(photos), photos, pixels, [*pixels.float()], [Image.open(file) for file in files]]
    found = [
        fit_decoder(OPTIONS, form, tmp_path / "d.safetensors", size=20, window=1, device="cpu")
        for form in forms
    ]
    weights = [inverter.decoder.weight for inverter in found]
    assert all(torch.equal(weight, weights[0]) for weight in weights)
    assert found[2].card["training"]["data"] == found[3].card["training"]["data"]


def test_no_photos(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`data` is missing; name a folder"):
        fit_decoder(OPTIONS, "", tmp_path / "d.safetensors")
