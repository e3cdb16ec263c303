"""A training on the machine at hand: its device, its processes, its precision."""

import logging
from pathlib import Path
from statistics import median

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import broadcast_object_list

from preimage.decoders.loop import Objective, Training
from preimage.decoders.options import MachineOptions
from preimage.decoders.recipes import Precision, Recipe
from preimage.decoders.run_folder import saved_settings
from preimage.decoders.speed import faster, time_steps
from preimage.network.device import resolve_device

_log = logging.getLogger(__name__)


def open_training(
    objective: Objective, recipe: Recipe, machine: MachineOptions, folder: Path
) -> Training:
    """A training on this process, or on all that torchrun started; its precision is decided.

    Args:
        folder: of its run, which may have begun.

    Raises:
        ValueError: no such device, or the folder's state is damaged.
    """
    accelerator = _accelerator(resolve_device(machine.device))
    objective.to(accelerator.device)
    if recipe.precision == "auto":
        precision = _precision(objective, recipe, machine, folder, accelerator)
        recipe = recipe.changed(precision=precision)
    return Training(
        objective, recipe, accelerator, accumulate=machine.accumulate, compiled=machine.compile
    )


def _accelerator(device: torch.device) -> Accelerator:
    """Accelerate stays on the first device of a process, unless it is made to forget it.

    What it made before is then of no use: a process trains on one device after another, not on two
    at once.
    """
    first = PartialState._shared_state.get("device")
    if first is not None and first.type != device.type:
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=device.type == "cpu")


def _precision(
    objective: Objective,
    recipe: Recipe,
    machine: MachineOptions,
    folder: Path,
    accelerator: Accelerator,
) -> Precision:
    """What the folder's run began with, else the faster; the first process decides for all."""
    if recorded := recorded_precision(folder):
        return recorded
    chosen: list[Precision] = ["fp32"]
    if accelerator.is_main_process:
        photos = photos_at_once(recipe, machine, accelerator.num_processes)
        times = time_steps(objective, recipe.crop, photos, accelerator.device)
        chosen = [faster(times)]
        shown = ", ".join(f"{name} {median(found):.2g} s" for name, found in times.items())
        _log.info("precision %s: a step takes %s on this machine.", chosen[0], shown)
    if accelerator.num_processes > 1:
        broadcast_object_list(chosen)
    return chosen[0]


def recorded_precision(folder: Path) -> Precision | None:
    """The precision of the run that a folder holds; None if it holds none.

    Raises:
        CheckpointError: the state is damaged.
    """
    settings = saved_settings(folder)
    return settings["recipe"]["precision"] if settings else None


def photos_at_once(recipe: Recipe, machine: MachineOptions, processes: int = 1) -> int:
    """Photos that a process computes at once."""
    return max(1, recipe.batch_size // processes // max(1, machine.accumulate))
