"""Training a decoder from option sets: old folders go on, other settings are refused."""

import shutil
from pathlib import Path

import pytest

from preimage.decoders.options import DataOptions, DecoderOptions, EncoderOptions, MachineOptions
from preimage.decoders.recipes import DECODER_RECIPES
from preimage.decoders.run_folder import read_metrics
from preimage.decoders.train import train_decoder
from preimage.network.spec import EncoderSpec

ENCODER = EncoderOptions(spec=EncoderSpec(layer="conv1", width=2, slope=0.2))
RECIPE = DECODER_RECIPES["quick"].changed(steps=6, batch_size=2, crop=8)
ON_CPU = MachineOptions(device="cpu", workers=0)


def test_a_run_of_the_version_before_goes_on(before: Path, tmp_path: Path) -> None:
    """Its quick recipe said bf16, which `auto` keeps; three steps here equal those there."""
    out = tmp_path / "run"
    shutil.copytree(before / "stopped", out)
    data = DataOptions(data=str(before / "photos"))
    inverter = train_decoder(ENCODER, DecoderOptions(), data, RECIPE, out, ON_CPU)
    assert inverter is not None
    assert inverter.card["training"]["recipe"]["precision"] == "bf16"
    found, expected = (
        [line["loss"] for line in read_metrics(folder / "metrics.jsonl")]
        for folder in (out, before / "whole")
    )
    assert found[:3] == expected[:3]
    assert found[3:] == pytest.approx(expected[3:], rel=0.01)  # processors round bf16 differently
    assert len(found) == 6
