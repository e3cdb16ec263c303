"""Fits, trainings and scorings that do not fit in memory are refused before a photo is read."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import train

from preimage.data import free_memory
from preimage.data.free_memory import MemoryTooSmall
from preimage.decoders.evaluate import evaluate
from preimage.decoders.fit import fit_decoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.options import EncoderOptions, MachineOptions
from preimage.decoders.pretrain import pretrain_encoder
from preimage.decoders.recipes import CLASSIFIER_RECIPE
from preimage.network.build import build
from preimage.network.spec import EncoderSpec

SPEC = EncoderSpec(layer="conv2", width=6)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "free_memory", lambda device: 100_000)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"size": 900}, "`size` 900 needs about 38.9 MB of memory, 12 MB are free; give a smaller"),
        ({"size": 20, "window": 101}, r"`window` 101 over 6 channels needs about [\d,]+ GB"),
    ],
)
def test_a_fit(
    words: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_memory, "free_memory", lambda device: 12_000_000)
    options = EncoderOptions(spec=SPEC)
    with pytest.raises(MemoryTooSmall, match=said):
        fit_decoder(options, "nowhere", tmp_path / "d.safetensors", device="cpu", **words)


@pytest.mark.usefixtures("little")
def test_a_training(photos: Path, tmp_path: Path) -> None:
    said = "a step of 64 photos of `crop` 16 needs about .* free; give a smaller `crop`"
    with pytest.raises(MemoryTooSmall, match=said):
        train(photos, tmp_path / "run", batch_size=64)
    recipe = CLASSIFIER_RECIPE.changed(steps=2, batch_size=64, crop=16, precision="fp32")
    with pytest.raises(MemoryTooSmall, match=said):
        pretrain_encoder(SPEC, str(photos), recipe, tmp_path / "run", MachineOptions(device="cpu"))
    assert not (tmp_path / "run").exists()


def test_a_scoring(little: None) -> None:
    network = build(SPEC.encoder())
    inverter = Inverter(network, {}, build(SPEC.encoder().mirror()))
    with pytest.raises(MemoryTooSmall, match="photos of 100×120 pixels needs about"):
        evaluate(inverter, torch.zeros(2, 3, 100, 120))
