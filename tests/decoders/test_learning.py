"""Runs from the command line: train, stop, kill, go on; fit; pretrain; evaluate; reconstruct."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from preimage.app.cli.main import main
from preimage.data.checkpoints import read_checkpoint
from preimage.decoders.encoders import load_classifier, random_twin
from preimage.decoders.evaluate import bicubic, evaluate, mean_image
from preimage.decoders.inverter import Inverter, feature_size
from preimage.decoders.run_folder import read_metrics
from preimage.network.architectures import vgg16
from preimage.network.build import build

PREIMAGE = [sys.executable, "-m", "preimage"]
NET = ["--layer", "conv2", "--width", "6", "--device", "cpu"]
QUICK = [
    "--steps",
    "8",
    "--batch-size",
    "4",
    "--crop",
    "16",
    "--precision",
    "fp32",
    "--workers",
    "0",
]


def run(*words: object) -> int:
    return main([str(word) for word in words])


def losses(out: Path) -> list[float]:
    return [line["loss"] for line in read_metrics(out / "metrics.jsonl")]


def train(photos: Path, out: Path, *words: object) -> int:
    return run("train", *NET, *QUICK, "--data", photos, "--out", out, *words)


def test_train_evaluate_reconstruct(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train(photos, out, "--held-out", photos, "--measure-every", "4") == 0
    lines = read_metrics(out / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, 9))
    assert [line["step"] for line in lines if "held_out_psnr" in line] == [4, 8]
    card = json.loads((out / "decoder.json").read_text())
    assert card["training"]["recipe"]["steps"] == 8
    assert card["encoder"]["origin"]["law"] == "gaussian:fan-in"
    decoder = out / "decoder.safetensors"
    words = ["--decoder", decoder, "--device", "cpu", "--size", "24"]
    capsys.readouterr()
    assert run("evaluate", *words, "--data", photos, "--held-out", photos, "--out", out / "e") == 0
    assert "held-out, bicubic" in capsys.readouterr().out
    rows = [json.loads(line) for line in (out / "e" / "scores.jsonl").read_text().splitlines()]
    assert len(rows) == 2 * 3 * 20
    assert run("reconstruct", photos / "cold", *words, "--out", out / "r") == 0
    assert len(list((out / "r").glob("*_decoded.png"))) == 10
    assert (out / "r" / "sheet.png").exists()


def test_features_that_someone_else_computed(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "d.safetensors"
    assert run("fit", *NET, "--window", "1", "--data", photos, "--size", "24", "--out", file) == 0
    inverter = Inverter.load(file)
    pixels = 255 * torch.rand(2, 3, 24, 24)
    features = inverter.features(pixels)
    save_file({"anything": features.contiguous()}, tmp_path / "f.safetensors")
    words = ["--decoder", file, "--features", tmp_path / "f.safetensors", "--out", tmp_path / "o"]
    assert run("reconstruct", *words, "--size", "24") == 0
    found = np.asarray(Image.open(tmp_path / "o" / "features-0001.png"))
    expected = inverter(pixels)[1].clamp(0, 255).round().byte().permute(1, 2, 0).numpy()
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert run("reconstruct", *words, "--size", "30") == 2  # features of another size


def test_a_run_goes_on_where_it_stopped(photos: Path, tmp_path: Path) -> None:
    assert train(photos, tmp_path / "whole") == 0
    part = tmp_path / "part"
    while not (part / "decoder.safetensors").exists():
        before = len(losses(part))
        assert train(photos, part, "--max-minutes", "1e-9") == 0
        assert len(losses(part)) > before
    assert losses(part) == losses(tmp_path / "whole")
    _same_weights(part, tmp_path / "whole")
    assert train(photos, part) == 0  # done already
    assert losses(part) == losses(tmp_path / "whole")


@pytest.mark.slow
def test_killed_at_any_moment(photos: Path, tmp_path: Path) -> None:
    """A short version of benchmarks/train_kill.py: kill -9, resume, the same bits."""
    words = ["train", *NET, *QUICK, "--steps", "60", "--data", str(photos), "--save-every", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert run(*words, "--out", tmp_path / "whole") == 0
    command = [*PREIMAGE, *words, "--out", str(tmp_path / "killed")]
    generator = random.Random(0)
    for _ in range(3):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        begun = len(losses(tmp_path / "killed"))
        deadline = time.monotonic() + 120
        while len(losses(tmp_path / "killed")) <= begun and time.monotonic() < deadline:
            time.sleep(0.01)
            if process.poll() is not None:
                break
        time.sleep(0.2 * generator.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    _same_weights(tmp_path / "killed", tmp_path / "whole")


def _same_weights(a: Path, b: Path) -> None:
    found, expected = (
        read_checkpoint(folder / "decoder.safetensors", "decoder").tensors for folder in (a, b)
    )
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_other_settings_are_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(photos, tmp_path) == 0
    assert train(photos, tmp_path, "--learning-rate", "0.5") == 2
    assert "holds a run with other settings (recipe:" in capsys.readouterr().err


def test_a_damaged_state_is_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(photos, tmp_path, "--max-minutes", "1e-9") == 0
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-3])
    assert train(photos, tmp_path) == 2
    assert "truncated" in capsys.readouterr().err


def test_pretrain_its_layers_and_its_twin(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--width", "6", "--layer", "conv2", "--steps", "12", "--batch-size", "8"]
    words += ["--crop", "20", "--in-memory", "20", "--precision", "fp32", "--device", "cpu"]
    both = ["--data", photos, "--test", photos]
    assert run("pretrain", *words, *both, "--out", tmp_path) == 0
    assert "on 20 photos" in capsys.readouterr().out
    file = tmp_path / "encoder.safetensors"
    model = load_classifier(file)
    assert json.loads((tmp_path / "encoder.json").read_text())["classes"] == ["cold", "warm"]
    fitted = tmp_path / "d.safetensors"
    fit = ["fit", "--layer", "conv1", "--data", photos, "--size", "20", "--window", "1"]
    assert run(*fit, "--weights", file, "--out", fitted) == 0
    inverter = Inverter.load(fitted)
    assert inverter.origin["classes"] == ["cold", "warm"]
    for conv in inverter.description.convs:
        assert torch.equal(inverter.encoder.weights[conv.name], model.encoder.weights[conv.name])
    twin = ["--twin-of", file, "--weights", "gaussian:fan-in", "--out", tmp_path / "t.safetensors"]
    assert run(*fit, *twin) == 0
    twin_encoder = Inverter.load(tmp_path / "t.safetensors").encoder
    assert twin_encoder.description == inverter.description
    assert all(not bias.any() for bias in twin_encoder.biases.values())
    expected = random_twin(inverter.encoder, "gaussian:fan-in")
    assert torch.equal(twin_encoder.weights["conv1_1"], expected.weights["conv1_1"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train",), "--data is missing"),
        (("train", "--data", "nowhere"), "nowhere"),
        (("train", "--data", "x", "--weights", "nothing.pth"), "nothing.pth"),
        (
            ("train", "--data", "x", "--weights", "normal:1"),
            "must be one of gaussian, uniform, logistic, laplace, got 'normal'",
        ),
        (("train", "--data", "x", "--recipe", "slow"), "slow"),
        (("evaluate", "--decoder", "nothing"), "nothing: no such file"),
        (("reconstruct", "--decoder", "nothing"), "nothing: no such file"),
        (("reconstruct", "--features", "x"), "--features needs --decoder"),
        (("fit", "--data", "x", "--twin-of", "y", "--weights", "imagenet"), "--twin-of is for"),
        (("pretrain",), "--data is missing"),
    ],
)
def test_wrong_input_in_one_line(
    words: tuple[str, ...],
    message: str,
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").symlink_to(photos)
    assert main(list(words)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert {path.name for path in tmp_path.iterdir()} == {"x"}


def test_dry_run_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("train", "--recipe", "paper", "--layer", "conv2", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert "200,000 steps of 32 photos, 227×227" in printed
    assert "hours" in printed
    assert not list(tmp_path.iterdir())


def test_corrupt_photos_are_named(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").mkdir()
    for index, path in enumerate(sorted((photos / "warm").iterdir())[:3]):
        (tmp_path / "data" / f"{index}.png").write_bytes(path.read_bytes())
    (tmp_path / "data" / "bad.png").write_bytes(b"not an image")
    assert train(tmp_path / "data", tmp_path / "out") == 0
    assert "bad.png" in caplog.text
    assert "1 images could not be read" in caplog.text


def test_evaluation_of_a_decoder_that_knows_the_answer() -> None:
    encoder = build(vgg16().cut("conv2").with_width(3))
    photos = torch.randint(0, 256, (3, 3, 15, 18), dtype=torch.uint8)
    inverter = Inverter(encoder, {"law": "gaussian:fan-in", "seed": 0, "network": 0}, encoder)
    inverter.decode = lambda features, size: photos.float() + 2.0  # type: ignore[method-assign]
    found = evaluate(inverter, photos.clamp(0, 250), mean_image(photos))
    assert found.keys() == {"decoder", "bicubic", "mean image"}
    shrunk = bicubic(photos.float(), feature_size(encoder.description, (15, 18)))
    assert shrunk.shape == photos.shape
    naive = (photos.clamp(0, 250).float() - shrunk.clamp(0, 255)).square().mean((1, 2, 3))
    assert found["bicubic"].mse.tolist() != naive.tolist()  # of the clipped photos, not of these
    perfect = evaluate(inverter, photos, None)["decoder"]
    assert perfect.interval("mse").mean <= 4.0
    assert perfect.interval("psnr").n == 3
