"""`--weights` means the same in every verb that has it."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import run
from PIL import Image

from preimage.app.cli.main import VERBS, command_type
from preimage.app.cli.options import options
from preimage.decoders.encoders import trained_encoder
from preimage.network.spec import EncoderSpec
from preimage.sweeps.pair import reconstruct

CLASSIFIER = (
    Path(__file__).parents[2] / "decoders/before_option_sets/classifier/encoder.safetensors"
)

#: Verbs that take trained weights, with the least that they need besides.
TRAINED = {
    "fit": ("--layer", "conv1", "--data", "."),
    "probe": ("--model", "vgg16", "--data", "."),
    "reconstruct": ("--layer", "conv1"),
    "retain": ("--layers", "conv1"),
    "train": ("--layer", "conv1", "--data", "."),
}
#: Verbs whose networks are random by definition.
RANDOM = {
    "demo": ("--networks", "1", "--size", "16"),
    "limit": ("--layer", "conv1", "--width", "2", "--networks", "2", "--size", "16"),
    "sweep": ("--layer", "conv1", "--width", "2", "--networks", "1", "--size", "16"),
}
NO_FILE = (
    "--weights: nothing.pth: no such file; it takes a law such as gaussian:fan-in, imagenet or "
    "pretrained for weights that others trained, or a file."
)


def test_every_verb_is_here() -> None:
    """`evaluate` finds its weights in its decoder; there the option says where they moved."""
    having = {
        verb for verb in VERBS if any(o.name == "weights" for o in options(command_type(verb)))
    }
    assert having == {*TRAINED, *RANDOM, "evaluate"}


@pytest.mark.parametrize("verb", [*TRAINED, *RANDOM])
def test_one_help(verb: str) -> None:
    (option,) = (o for o in options(command_type(verb)) if o.name == "weights")
    assert option.help.startswith("A law such as gaussian:0.015 or gaussian:fan-in")
    trained = "; imagenet or pretrained for weights that others trained; or a file (.pth"
    assert (trained in option.help) == (verb in TRAINED)
    assert ("these networks are random" in option.help) == (verb in RANDOM)


@pytest.mark.parametrize("verb", [*TRAINED, *RANDOM])
@pytest.mark.parametrize("weights", ["nothing.pth", "normal:1", "gaussian:-1", "imagenet"])
def test_one_error(
    verb: str,
    weights: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("preimage.decoders.official_weights.ADDRESSES", {})
    Image.new("RGB", (20, 20), "orange").save("photo.png")
    words = {**TRAINED, **RANDOM}[verb]
    assert run(verb, *words, "--weights", weights, "--out", str(tmp_path / "out")) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    if weights == "normal:1":
        assert "the law of --weights must be one of gaussian, uniform, " in line
    elif weights == "gaussian:-1":
        assert "the scale of --weights must be positive and finite, got -1" in line
    elif verb in RANDOM:
        assert "--weights must be a law and its scale, such as gaussian:0.015, " in line
        assert f"(these networks are random), got '{weights}'" in line
    elif weights == "imagenet":
        assert "torchvision has no weights for vgg16" in line
    else:
        assert NO_FILE in line


def test_a_trained_cnn_and_a_random_dcn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`reconstruct` takes a file too, as `fit` does; the record says which one."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (30, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photo.png")
    words = ("--layer", "conv1", "--weights", str(CLASSIFIER), "--size", "0", "--out", "out")
    assert run("reconstruct", "photo.png", *words) == 0
    (record,) = map(json.loads, (tmp_path / "out" / "records.jsonl").read_text().splitlines())
    encoder, origin = trained_encoder(str(CLASSIFIER), EncoderSpec(layer="conv1"))
    (expected,) = reconstruct(pixels, encoder=encoder, weights="gaussian:fan-in")
    assert record["ssim"] == expected.ssim
    assert json.loads((tmp_path / "out" / "run.json").read_text())["encoder"] == origin
