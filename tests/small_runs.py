"""Trainings of a second: Conv2 of width 6 on crops of 16×16."""

from pathlib import Path
from typing import Any

import torch

from preimage.data.checkpoints import read_checkpoint
from preimage.decoders.inverter import Inverter
from preimage.decoders.loss_curve import read_metrics
from preimage.decoders.options import DataOptions, DecoderOptions, EncoderOptions, MachineOptions
from preimage.decoders.recipes import DECODER_RECIPES
from preimage.decoders.train import train_decoder
from preimage.network.spec import EncoderSpec

ENCODER = EncoderOptions(spec=EncoderSpec(layer="conv2", width=6, slope=0.2))
RECIPE = DECODER_RECIPES["quick"].changed(steps=8, batch_size=4, crop=16, precision="fp32")
#: The same run on the command line.
WORDS = ["--layer", "conv2", "--width", "6", "--device", "cpu", "--workers", "0"]
WORDS += ["--steps", "8", "--batch-size", "4", "--crop", "16", "--precision", "fp32"]


def train(
    photos: Path,
    out: Path,
    *,
    data: dict[str, Any] | None = None,
    machine: dict[str, Any] | None = None,
    **changes: Any,
) -> Inverter | None:
    """The run, with what a test changes in its photos, its machine and its recipe."""
    return train_decoder(
        ENCODER,
        DecoderOptions(),
        DataOptions(data=str(photos), **(data or {})),
        RECIPE.changed(**changes),
        out,
        MachineOptions(**{"device": "cpu", "workers": 0, **(machine or {})}),
    )


def losses(out: Path) -> list[float]:
    return [line["loss"] for line in read_metrics(out / "metrics.jsonl")]


def assert_same_weights(a: Path, b: Path) -> None:
    found, expected = (
        read_checkpoint(folder / "decoder.safetensors", "decoder").tensors for folder in (a, b)
    )
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
