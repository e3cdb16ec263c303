"""Runs of training: stopped, killed, taken up again, of an older version, refused."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_runs import ENCODER, RECIPE, WORDS, assert_same_weights, losses, train
from waiting import wait_for

from preimage.data.archives import PhotoError
from preimage.data.memory import open_squares
from preimage.decoders.loss_curve import read_metrics
from preimage.decoders.options import DataOptions, DecoderOptions, EncoderOptions, MachineOptions
from preimage.decoders.recipes import DECODER_RECIPES
from preimage.decoders.train import train_decoder
from preimage.network.spec import EncoderSpec
from preimage.scores.metrics import colour_scores


def test_a_run_leaves_its_curve_and_its_decoder(photos: Path, tmp_path: Path) -> None:
    data = {"held_out": str(photos), "measure_every": 4, "in_memory": 20}
    inverter = train(photos, tmp_path, data=data)
    assert inverter is not None
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, 9))
    rates = [RECIPE.learning_rate_at(step) for step in range(8)]
    assert [line["learning_rate"] for line in lines] == rates
    measured = {line["step"]: line["held_out_psnr"] for line in lines if "held_out_psnr" in line}
    assert list(measured) == [4, 8]
    squares = open_squares(str(photos), 20).pixels.float()
    expected = float(colour_scores(squares, inverter(squares)).psnr.mean())
    assert measured[8] == pytest.approx(expected, rel=1e-5)
    card = inverter.card
    assert card["metrics"]["held_out_psnr"] == measured[8]
    assert card["metrics"]["loss"] == pytest.approx(sum(losses(tmp_path)) / 8)
    assert (card["training"]["photos"], card["training"]["recipe"]["steps"]) == (20, 8)


def test_a_run_goes_on_where_it_stopped(photos: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert train(photos, whole) is not None
    for done in range(1, 8):
        assert train(photos, part, machine={"max_minutes": 1e-9}) is None
        assert losses(part) == losses(whole)[:done]
    for _ in range(2):  # to the end; and once more, done already
        assert train(photos, part) is not None
        assert losses(part) == losses(whole)
        assert_same_weights(part, whole)


@pytest.mark.slow
def test_killed_on_the_way(photos: Path, tmp_path: Path) -> None:
    """A short version of benchmarks/train_kill.py: kill -9, resume, the same bits."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert train(photos, whole, steps=40) is not None
    words = [*WORDS, "--steps", "40", "--data", str(photos), "--save-every", "0"]
    command = [sys.executable, "-m", "preimage", "train", *words, "--out", str(killed)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for("step 13", lambda: len(losses(killed)) >= 13 or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(losses(killed)) >= 13
    assert train(photos, killed, steps=40) is not None
    assert losses(killed) == losses(whole)
    assert_same_weights(killed, whole)


def test_a_run_of_the_version_before_goes_on(before: Path, tmp_path: Path) -> None:
    """Its quick recipe said bf16, which `auto` keeps; three steps here equal those there."""
    out = tmp_path / "run"
    shutil.copytree(before / "stopped", out)
    encoder = EncoderOptions(spec=EncoderSpec(layer="conv1", width=2, slope=0.2))
    data = DataOptions(data=str(before / "photos"))
    recipe = DECODER_RECIPES["quick"].changed(steps=6, batch_size=2, crop=8)
    machine = MachineOptions(device="cpu", workers=0)
    inverter = train_decoder(encoder, DecoderOptions(), data, recipe, out, machine)
    assert inverter is not None
    assert inverter.card["training"]["recipe"]["precision"] == "bf16"
    found, expected = losses(out), losses(before / "whole")
    assert found[:3] == expected[:3]
    assert found[3:] == pytest.approx(expected[3:], rel=0.01)  # processors round bf16 differently
    assert len(found) == 6


def test_other_settings_are_refused(photos: Path, tmp_path: Path) -> None:
    train(photos, tmp_path, machine={"max_minutes": 1e-9})
    with pytest.raises(ValueError, match=r"a run with other settings \(recipe: .*another folder"):
        train(photos, tmp_path, learning_rate=0.5)
    with pytest.raises(ValueError, match=r"other settings \(in_memory: 0 there, 20 here\)"):
        train(photos, tmp_path, data={"in_memory": 20})


def test_a_damaged_state_is_refused(photos: Path, tmp_path: Path) -> None:
    train(photos, tmp_path, machine={"max_minutes": 1e-9})
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-3])
    with pytest.raises(ValueError, match="truncated"):
        train(photos, tmp_path)


def test_photos_that_cannot_be_read_are_named(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    shutil.copytree(photos / "warm", data)
    (data / "bad.png").write_bytes(b"not an image")
    inverter = train(data, tmp_path / "out")
    assert inverter is not None
    (line,) = [message for message in caplog.messages if message.startswith("skipped:")]
    assert line == f"skipped: {data / 'bad.png'}: not an image that Pillow can read."
    assert inverter.card["training"]["skipped"] == [line.removeprefix("skipped: ")]
    for in_memory in (0, 20):
        with pytest.raises(PhotoError, match=r"bad\.png: .*`strict` allows no photo to be skipped"):
            train(data, tmp_path / f"{in_memory}", data={"strict": True, "in_memory": in_memory})
    assert "1 images could not be read and were left out." in caplog.messages


def test_the_options_reach_the_networks(photos: Path, tmp_path: Path) -> None:
    spec = EncoderSpec(layer="conv1", width=2, slope=0.3)
    inverter = train_decoder(
        EncoderOptions(spec=spec, weights="uniform:0.1", seed=5, input="raw"),
        DecoderOptions(unpool="nearest", slope=0.1, bias=True),
        DataOptions(data=str(photos)),
        RECIPE.changed(steps=1, feature_scaling=False),
        tmp_path,
        MachineOptions(device="cpu", workers=0, accumulate=2),
    )
    assert inverter is not None
    assert inverter.origin == {"law": "uniform:0.1", "seed": 5, "network": 0, "twin_of": None}
    assert inverter.scale == 1.0
    assert inverter.encoder.description == spec.encoder()
    assert inverter.encoder.weights["conv1_1"].abs().max() <= 0.1
    hidden, last = inverter.decoder.description.convs
    assert (hidden.slope, hidden.bias, last.slope, last.bias) == (0.1, True, 1.0, True)
    assert torch.count_nonzero(inverter.decoder.biases[last.name]) == 3  # they learned


def test_photos_in_any_form_are_kept_in_memory(tmp_path: Path) -> None:
    pixels = torch.randint(0, 256, (6, 3, 19, 17), dtype=torch.uint8)
    arrays = [photo.permute(1, 2, 0).numpy() for photo in pixels]
    machine = MachineOptions(device="cpu", workers=0)
    found = [
        train_decoder(
            ENCODER, DecoderOptions(), form, RECIPE.changed(steps=2), tmp_path / name, machine
        )
        for form, name in ((pixels, "tensor"), (arrays, "arrays"))
    ]
    one, other = (inverter.decoder.state_dict() for inverter in found if inverter)
    assert all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(ValueError, match="`photos` must have one size"):
        train_decoder(
            ENCODER,
            DecoderOptions(),
            [pixels[0], pixels[0, :, 1:]],
            RECIPE,
            tmp_path / "x",
            machine,
        )
