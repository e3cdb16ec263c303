import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command import run
from PIL import Image
from safetensors.torch import save_file

from preimage.data import free_memory

SMALL = ["--layer", "conv1", "--width", "2", "--size", "24"]


def records(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]


def test_pictures_scores_and_the_run(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["--layer", "conv2", "--width-factor", "0.1", "--size", "32", "--unpool", "nearest"]
    assert run("reconstruct", photo, *words, "--out", str(out)) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"photo_grey.png", "photo_colour.png", "sheet.png", "records.jsonl", "run.json"}
    with Image.open(out / "photo_colour.png") as picture:
        assert picture.mode == "RGB"
        assert picture.size == (32, 32)
    (record,) = records(out)
    assert f"{record['ssim']:.3f}" in capsys.readouterr().out
    assert json.loads((out / "run.json").read_text())["config"]["unpool"] == "nearest"


def test_one_bad_photo_does_not_stop_the_others(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff")
    words = ["--layer", "conv1", "--width", "2", "--size", "0", "--out", str(tmp_path / "out")]
    assert run("reconstruct", str(bad), photo, *words) == 2
    captured = capsys.readouterr()
    assert "photo" in captured.out
    (line,) = captured.err.splitlines()
    assert "bad.jpg" in line
    (skipped,) = json.loads((tmp_path / "out" / "run.json").read_text())["skipped"]
    assert skipped in line
    assert run("reconstruct", str(bad), *words[:-1], str(tmp_path / "nothing")) == 2
    assert not (tmp_path / "nothing").exists()


def test_strict_takes_all_photos_or_none(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff")
    words = [*SMALL, "--strict", "--out", str(tmp_path / "out")]
    assert run("reconstruct", photo, str(bad), *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert "bad.jpg" in line
    assert line.endswith("; --strict allows no photo to be skipped.")
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_in_memory_is_refused_before_it_is_taken(
    photo: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(free_memory, "free_memory", lambda device: 40_000_000)
    words = ["--layer", "conv1", "--size", "300", "--out", str(tmp_path / "out")]
    assert run("reconstruct", photo, *words) == 2
    captured = capsys.readouterr()
    # Conv1 has two convolutions of 64 channels: in and out, 2 × 64 × 300² × 4 bytes.
    assert captured.err.strip().endswith(
        "a photo of 300×300 pixels needs about 46.1 MB of memory, 40 MB are free; give a "
        "smaller --size or --width."
    )


def test_an_empty_name_is_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (30, 30)).save("a.png")
    assert run("reconstruct", "", *SMALL) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("a photo's name is empty; name a file or a folder (`.` for this one).")


def test_a_photo_too_small_for_the_layer(
    tmp_path: Path, photo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (30, 12)).save(small)
    words = ["--architecture", "alexnet", "--layer", "conv2", "--width", "2", "--size", "0"]
    code = run("reconstruct", str(small), photo, *words, "--out", str(tmp_path / "out"))
    assert code == 2
    captured = capsys.readouterr()
    assert "small.png: alexnet conv2 needs an input of at least 15×15 pixels, got 12×30" in (
        captured.err
    )
    assert "photo" in captured.out


@pytest.mark.parametrize("order", ["before", "after"])
def test_photos_in_a_config_file(order: str, tmp_path: Path, photo: str) -> None:
    """The command line's photos replace those of the file, wherever they stand."""
    file = tmp_path / "run.yaml"
    file.write_text(f"photos: [{photo}]\nlayer: conv1\nwidth: 2\nsize: 24\npooled: true\n")
    words = ["--config", str(file), "--out", str(tmp_path / "out")]
    assert run("reconstruct", *words) == 0
    (record,) = records(tmp_path / "out")
    assert record["source"] == photo
    assert record["contract"]["inversion"] is True
    assert json.loads((tmp_path / "out" / "run.json").read_text())["config"]["pooled"] is True
    other = tmp_path / "other.png"
    Image.radial_gradient("L").resize((40, 40)).save(other)
    words = [str(other), *words] if order == "before" else [*words, str(other)]
    assert run("reconstruct", *words) == 0
    (record,) = records(tmp_path / "out")
    assert record["source"] == str(other)


def test_odd_names(photo: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = Path(photo).read_bytes()
    names = [b"n\xff\xfe.png", b"z" * 245 + b".png", "日本.png".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"_" + name)).write_bytes(data)
    words = [*SMALL, "--out", str(tmp_path / "out")]
    assert run("reconstruct", str(tmp_path / "in_*"), "x" * 300 + ".png", *words) == 2
    assert len(records(tmp_path / "out")) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert "x" * 300 in line


def test_a_sandbox_gives_the_same_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Image.linear_gradient("L").resize((24, 30)).save("photos/a.png")
    Path("photos/bad.png").write_bytes(b"no image")
    words = ["reconstruct", "photos", "--layer", "conv1", "--width", "2", "--size", "24"]
    for out, more in (("here", []), ("there", ["--sandbox"])):
        assert run(*words, *more, "--out", out) == 2
        assert "bad.png: not an image that Pillow can read" in capsys.readouterr().err
    same = (Path(name, "records.jsonl").read_bytes() for name in ("here", "there"))
    assert next(same) == next(same)


# --- by a decoder -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A least-squares decoder of Conv2, fit to noise."""
    folder = tmp_path_factory.mktemp("fit")
    random = np.random.default_rng(0)
    for index in range(4):
        pixels = random.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    out = str(folder / "decoder.safetensors")
    words = ["--layer", "conv2", "--width", "2", "--size", "24", "--window", "1", "--out", out]
    assert run("fit", "--data", str(folder), *words) == 0
    return out


def test_the_record_is_of_the_decoder_that_was_used(
    decoder: str, photo: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run("reconstruct", photo, "--decoder", decoder, "--size", "24", "--out", str(out)) == 0
    record = json.loads((out / "run.json").read_text())
    assert record["command"] == {
        "photos": [photo],
        "features": None,
        "model": None,
        "decoder": decoder,
        "size": 24,
        "device": "auto",
        "out": str(out),
        "strict": False,
        "sandbox": False,
    }
    assert record["encoder"]["description"]["name"] == "vgg16 conv2"
    origin = record["encoder"]["origin"]
    assert (origin["law"], origin["seed"], origin["network"]) == ("gaussian:fan-in", 0, 0)


def test_a_decoder_and_a_random_network_do_not_share_a_folder(
    decoder: str,
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    by_decoder = ["reconstruct", photo, "--decoder", decoder, "--size", "24"]
    assert run("reconstruct", photo, *SMALL) == 0
    assert run(*by_decoder) == 0
    assert "ssim" in records(tmp_path / "preimage-out")[0]
    assert "psnr" in records(tmp_path / "preimage-decoded")[0]
    assert run("reconstruct", photo, *SMALL) == 0  # again, in its own
    before = {path: path.read_bytes() for path in (tmp_path / "preimage-out").iterdir()}
    capsys.readouterr()
    assert run(*by_decoder, "--out", "preimage-out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--out preimage-out holds a run of photos by a random network" in line
    assert {path: path.read_bytes() for path in (tmp_path / "preimage-out").iterdir()} == before


def test_features_in_place_of_photos(decoder: str, tmp_path: Path, photo: str) -> None:
    features = tmp_path / "features.safetensors"
    save_file({"features": torch.zeros(2, 2, 12, 12)}, features)
    out = tmp_path / "out"
    words = ["reconstruct", "--decoder", decoder, "--size", "24", "--out", str(out)]
    assert run(*words, "--features", str(features)) == 0
    assert {p.name for p in out.iterdir()} == {"features-0000.png", "features-0001.png", "run.json"}
    assert json.loads((out / "run.json").read_text())["command"]["features"] == str(features)
    assert run(*words, photo) == 2  # of another kind


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--layer", "conv3"], "--layer cannot be given with --decoder"),  # its default value
        (["--seed", "1", "--weights", "gaussian:1"], "--seed, --weights cannot be given"),
        (["--features", "x"], "--features stand in place of PHOTOS"),
    ],
)
def test_options_that_a_decoder_makes_meaningless(
    words: list[str], message: str, photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = run("reconstruct", photo, "--decoder", "any", "--out", str(out), *words)
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not out.exists()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.full((1, 2, 12, 12), torch.nan), "NaN or infinite values"),
        (torch.full((1, 2, 12, 12), torch.inf), "NaN or infinite values"),
        (torch.zeros(0, 2, 12, 12), "there are none"),
    ],
)
def test_features_that_mean_nothing(
    features: torch.Tensor, message: str, decoder: str, tmp_path: Path, capsys: Any
) -> None:
    save_file({"features": features}, tmp_path / "features.safetensors")
    words = ["--decoder", decoder, "--size", "24", "--out", str(tmp_path / "out")]
    assert run("reconstruct", *words, "--features", str(tmp_path / "features.safetensors")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_weights_that_overflow(photo: str, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    words = ["--layer", "conv2", "--width", "4", "--weights", "gaussian:1e30", "--out", str(out)]
    assert run("reconstruct", photo, "--size", "32", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the network's output is not finite; choose a smaller scale of --weights" in line
    assert not list(out.glob("*.png"))


def test_features_need_a_decoder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reconstruct", "--features", "x") == 2
    assert "--features needs --decoder" in capsys.readouterr().err
