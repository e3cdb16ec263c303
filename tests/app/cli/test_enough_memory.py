"""What `size` needs is compared with what is free before a photo is opened: none is there here."""

from pathlib import Path

import numpy as np
import pytest
import torch
from command import run
from PIL import Image
from safetensors.torch import save_file

from preimage.data import free_memory


@pytest.fixture(autouse=True)
def little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(free_memory, "free_memory", lambda device: 40_000_000)


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        # Conv1 at full width: 64 channels in and out, 300² positions of 4 bytes; of 8 for `limit`.
        ("reconstruct nowhere --layer conv1 --size 300", "46.1 MB"),
        ("limit nowhere --layer conv1 --size 300", "92.2 MB"),
        ("sweep run --data nowhere --layer conv1 --width 4 64 --size 300", "46.1 MB"),
        ("demo --photos nowhere --size 300", "46.1 MB"),
        # Scores: 56 bytes per pixel.
        ("reconstruct nowhere --layer conv1 --width 1 --size 900", "45.4 MB"),
    ],
)
def test_random_networks(
    words: str, needed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words.split(), "--out", "out") == 2
    side = words.split()[-1]
    (line,) = capsys.readouterr().err.splitlines()
    said = f"a photo of {side}×{side} pixels needs about {needed} of memory, 40 MB are free; give a"
    assert said in line
    assert ("--width" in line) == (not words.startswith("demo"))  # which has no such option
    assert list(Path("out").rglob("*")) == []


def test_a_probe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "import torch\ndef make():\n return torch.nn.Sequential(torch.nn.Conv2d(3, 5, 2, 2))\n"
    Path("mine.py").write_text(code)
    words = ["--model", "mine.py:make", "--data", "nowhere", "--raw", "--size", "700"]
    assert run("probe", *words, "--out", "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    # 3 channels in and 5 out at half the side: 4 (3 + 5/4) 700² bytes of each of 5 photos.
    assert "a batch of 5 photos of 700×700 pixels needs about 58.8 MB of memory" in line
    assert not Path("out").exists()


def test_decoders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 24, 24, 3), dtype=np.uint8)
    Path("photos").mkdir()
    for index, picture in enumerate(pixels):
        Image.fromarray(picture).save(f"photos/{index}.png")
    Path("photos/bad.png").write_bytes(b"no image")
    words = ["--layer", "conv1", "--width", "2", "--size", "24", "--window", "1"]
    assert run("fit", "--data", "photos", *words, "--out", "d.safetensors") == 0
    capsys.readouterr()
    by_decoder = ["--decoder", "d.safetensors", "--out", "out"]
    assert run("reconstruct", "nowhere", *by_decoder, "--size", "600") == 2
    assert "a photo of 600×600 pixels needs about 43.2 MB" in capsys.readouterr().err
    held = ["--data", "photos", "--held-out", "photos", "--size", "300"]
    assert run("evaluate", *by_decoder, *held) == 2
    assert "a batch of 5 photos of 300×300 pixels needs about 54 MB" in capsys.readouterr().err
    # With enough of it, one photo that cannot be read is enough to refuse.
    assert run("reconstruct", "photos", *by_decoder, "--size", "24", "--strict") == 2
    assert "bad.png: not an image that Pillow can read; --strict" in capsys.readouterr().err
    assert not list(Path("out").rglob("*.png"))
    # Features: 8 rows at once, of which each becomes 3 × 24² pixels of 4 bytes.
    save_file({"features": torch.zeros(9, 2, 24, 24)}, "f.safetensors")
    monkeypatch.setattr(free_memory, "free_memory", lambda device: 50_000)
    capsys.readouterr()
    assert run("reconstruct", "--features", "f.safetensors", *by_decoder, "--size", "24") == 2
    said = "a batch of 8 photos of 24×24 pixels needs about 0.0553 MB of memory, 0.05 MB are free"
    assert said in capsys.readouterr().err
    assert not list(Path("out").rglob("*.png"))
