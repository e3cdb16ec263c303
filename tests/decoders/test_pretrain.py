"""A classifier trained from option sets: its accuracy on photos that it has not seen."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from preimage.data.archives import PhotoError
from preimage.data.checkpoints import read_checkpoint
from preimage.data.memory import open_source
from preimage.decoders.classifier import Classifier
from preimage.decoders.loss_curve import read_metrics
from preimage.decoders.options import MachineOptions
from preimage.decoders.pretrain import pretrain_encoder
from preimage.decoders.recipes import CLASSIFIER_RECIPE
from preimage.network.spec import EncoderSpec

SPEC = EncoderSpec(layer="conv2", width=6)
RECIPE = CLASSIFIER_RECIPE.changed(steps=12, batch_size=8, crop=20, precision="fp32")


def pretrain(photos: Path, out: Path, **words: Any) -> Classifier | None:
    machine = MachineOptions(device="cpu", max_minutes=words.pop("max_minutes", None))
    words = {"in_memory": 20, "test": str(photos), **words}
    return pretrain_encoder(SPEC, str(photos), RECIPE, out, machine, **words)


def test_accuracy_is_that_of_the_folded_classifier(photos: Path, tmp_path: Path) -> None:
    model = pretrain(photos, tmp_path)
    assert model is not None
    source = open_source(str(photos), 20, labelled=True)
    pixels = torch.stack([source.read(index) for index in range(20)]).float()
    right = (model(pixels).argmax(1).numpy() == source.labels).mean()
    card = read_checkpoint(tmp_path / "encoder.safetensors", "classifier").card
    assert card["accuracy"] == {"accuracy": right, "photos": 20}
    assert card["classes"] == ["cold", "warm"]
    assert [line["step"] for line in read_metrics(tmp_path / "metrics.jsonl")] == list(range(1, 13))


def test_a_stopped_run_equals_an_unbroken_one(photos: Path, tmp_path: Path) -> None:
    whole = pretrain(photos, tmp_path / "whole")
    assert pretrain(photos, tmp_path / "part", max_minutes=1e-9) is None
    part = pretrain(photos, tmp_path / "part")
    assert whole is not None
    assert part is not None
    for name, value in whole.state_dict().items():
        assert torch.equal(part.state_dict()[name], value), name


def test_without_batch_norm_or_test_photos(photos: Path, tmp_path: Path) -> None:
    model = pretrain(photos, tmp_path, batch_norm=False, test=None)
    assert model is not None
    card = read_checkpoint(tmp_path / "encoder.safetensors", "classifier").card
    assert (card["accuracy"], card["training"]["batch_norm"]) == (None, False)
    # Folding gives every convolution a bias; without batch normalisation it stays zero.
    assert all(torch.count_nonzero(bias) == 0 for bias in model.encoder.biases.values())


@pytest.mark.parametrize("in_memory", [0, 20])
def test_photos_that_cannot_be_read_are_counted_and_not_tested(
    photos: Path, tmp_path: Path, in_memory: int
) -> None:
    data = tmp_path / "data"
    shutil.copytree(photos, data)
    (data / "warm" / "bad.png").write_bytes(b"not an image")
    out = tmp_path / "out"
    assert pretrain(photos, out, test=str(data), in_memory=in_memory) is not None
    card = read_checkpoint(out / "encoder.safetensors", "classifier").card
    assert card["accuracy"]["photos"] == 20
    assert card["training"]["skipped"] == [
        f"{data / 'warm' / 'bad.png'}: not an image that Pillow can read."
    ]
    with pytest.raises(PhotoError, match=r"bad\.png: not an image"):
        pretrain(photos, tmp_path / "b", test=str(data), in_memory=in_memory, strict=True)
    assert not (tmp_path / "b").exists()


def test_test_photos_of_other_classes_are_refused(photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(photos / "cold", other / "cold")
    shutil.copytree(photos / "warm", other / "hot")
    message = r"`test` must have the classes of `data`, \('cold', 'warm'\); .*\('cold', 'hot'\)"
    with pytest.raises(ValueError, match=message):
        pretrain(photos, tmp_path / "run", test=str(other))
    assert not (tmp_path / "run").exists()  # refused before the training
