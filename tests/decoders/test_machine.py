"""The precision of a run: the user's, else the folder's, else the faster."""

from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState, PartialState

from preimage.decoders import machine
from preimage.decoders.inverter import Inversion
from preimage.decoders.machine import open_training, photos_at_once
from preimage.decoders.options import MachineOptions
from preimage.decoders.recipes import Recipe
from preimage.network.architectures import vgg16
from preimage.network.build import build

ENCODER = vgg16().cut("conv1").with_width(2)
RECIPE = Recipe(steps=6, batch_size=12, crop=8, precision="auto")
ON_CPU = MachineOptions(device="cpu")


def inversion() -> Inversion:
    return Inversion(build(ENCODER), build(ENCODER.mirror()), 1.0)


def times(fp32: float, bf16: float) -> object:
    return lambda *_: {"fp32": [fp32], "bf16": [bf16]}


def refuse(*_: object) -> None:
    pytest.fail("timed, though the precision is known")


@pytest.mark.parametrize(("fp32", "bf16", "expected"), [(1.5, 2.5, "fp32"), (2.5, 1.5, "bf16")])
def test_auto_is_the_faster_and_says_so(
    fp32: float,
    bf16: float,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(machine, "time_steps", times(fp32, bf16))
    with caplog.at_level("INFO"):
        training = open_training(inversion(), RECIPE, ON_CPU, tmp_path)
    assert training.recipe == RECIPE.changed(precision=expected)
    line = f"precision {expected}: a step takes fp32 {fp32} s, bf16 {bf16} s on this machine."
    assert line in caplog.messages


@pytest.mark.parametrize("trained", [True, False])
def test_another_device_than_the_one_before(
    trained: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a GPU had been used in this process: accelerate by itself refuses, or stays there."""
    recipe = RECIPE.changed(precision="fp32")
    open_training(inversion(), recipe, ON_CPU, tmp_path)
    monkeypatch.setitem(PartialState._shared_state, "device", torch.device("cuda"))
    if trained:
        monkeypatch.setitem(AcceleratorState._shared_state, "device", torch.device("cuda"))
    else:  # as behind PartialState() alone
        AcceleratorState._reset_state()
    training = open_training(inversion(), recipe, ON_CPU, tmp_path)
    assert training.accelerator.device == torch.device("cpu")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_is_given_wins(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "time_steps", refuse)
    recipe = RECIPE.changed(precision=precision)
    assert open_training(inversion(), recipe, ON_CPU, tmp_path).recipe == recipe


def test_auto_keeps_what_the_run_began_with(before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the version whose quick recipe said bf16."""
    monkeypatch.setattr(machine, "time_steps", refuse)
    training = open_training(inversion(), RECIPE, ON_CPU, before / "stopped")
    assert training.recipe.precision == "bf16"


@pytest.mark.parametrize(
    ("accumulate", "processes", "expected"), [(1, 1, 12), (1, 3, 4), (2, 3, 2), (50, 1, 1)]
)
def test_photos_that_a_process_computes_at_once(
    accumulate: int, processes: int, expected: int
) -> None:
    assert photos_at_once(RECIPE, MachineOptions(accumulate=accumulate), processes) == expected
