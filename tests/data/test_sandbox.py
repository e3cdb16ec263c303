"""Pictures decoded in another process: the same pixels, and limits that hold."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from photo_files import encoded
from PIL import Image

from preimage.data import decoding
from preimage.data.entries import PhotoError
from preimage.data.photos import load_photos
from preimage.data.sandbox import Limits, _Sandbox, sandboxed

MB = 1_000_000


def test_the_same_pixels_and_limits_that_hold(tmp_path: Path) -> None:
    """One process for all: each costs the import of what it needs."""
    (tmp_path / "good.png").write_bytes(encoded(width=31, height=20))
    (tmp_path / "many.png").write_bytes(blank(7000, 6000))
    (tmp_path / "hungry.png").write_bytes(blank(5500, 5400))
    (tmp_path / "text.png").write_bytes(b"this is no image")
    (expected,) = load_photos(tmp_path / "good.png", 16)
    names = ("text", "many", "hungry", "good")
    errors: list[PhotoError] = []
    with sandboxed(Limits(memory=60 * MB, seconds=300.0, pixels=30 * MB)):
        sources = [tmp_path / f"{name}.png" for name in names]
        (found,) = load_photos(sources, 16, errors.append)
        np.testing.assert_array_equal(found.pixels, expected.pixels)
    said = [str(error).removeprefix(f"{tmp_path}/") for error in errors]
    assert said[0] == "text.png: not an image that Pillow can read."
    assert said[1].startswith("many.png: too many pixels (over 30,000,000)")
    assert said[2] == "hungry.png: takes more than 60 MB of memory to decode."
    assert decoding._elsewhere is None


def test_its_process_starts_without_torch() -> None:
    code = "import sys, preimage.data.sandbox; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_decoder_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("preimage.data.sandbox._SERVE", "print(end='ready', flush=True); exit(7)")
    sandbox = _Sandbox(Limits())
    for _ in range(2):  # it is started again
        with pytest.raises(PhotoError, match=r"breaks its decoder \(exit code 7\)"):
            sandbox.decode(b"x" * 100_000, None)
    sandbox.close()


def test_a_decoder_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    serve = "import time; print(end='ready', flush=True); time.sleep(600)"
    monkeypatch.setattr("preimage.data.sandbox._SERVE", serve)
    with pytest.raises(PhotoError, match=r"takes more than 0\.01 s to decode"):
        _Sandbox(Limits(seconds=0.01)).decode(b"x", None)


def blank(width: int, height: int) -> bytes:
    """A PNG of one colour, of few bytes and many pixels."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(stream, "PNG", compress_level=1)
    return stream.getvalue()
