"""What a training takes: steps, multiply-adds, disk, and time on the machine at hand."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

from preimage.decoders.classifier import Classification, classifier
from preimage.decoders.inverter import Inversion
from preimage.decoders.loop import Objective
from preimage.decoders.machine import photos_at_once, recorded_precision
from preimage.decoders.options import MachineOptions
from preimage.decoders.recipes import Precision, Recipe
from preimage.decoders.run_folder import saved_step
from preimage.decoders.speed import PRECISIONS, faster, time_steps
from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.device import convolution_rate, resolve_device
from preimage.network.encoder import Encoder
from preimage.network.footprint import encoder_bytes, map_bytes, training_bytes
from preimage.network.operations import Conv
from preimage.network.trace import feature_size, input_sizes, trace

_PROCESS = 450_000_000  # bytes of a process that trains, before its first step
_BYTES_PER_STEP = 170  # of the loss curve
_CLASSES = 10  # of a classifier whose data is not at hand; its head costs next to nothing


@dataclass(frozen=True)
class TrainingCost:
    """What a run takes from its first step to its last, and the time of the steps that are left.

    Args:
        done: steps that the folder of the run has.
        disk: bytes of the state, and of a line per step.
        memory: bytes of the process, its maps and its weights.
        seconds_per_step: measured on this machine, in `precision`, which is the one that the run
            would take.
    """

    steps: int
    done: int
    photos: int
    multiply_adds: int
    disk: int
    memory: int
    precision: Precision
    seconds_per_step: float

    @property
    def seconds(self) -> float:
        """Of the steps that are left."""
        return (self.steps - self.done) * self.seconds_per_step


def training_cost(
    encoder: Description | Encoder,
    decoder: Description | None,
    recipe: Recipe,
    machine: MachineOptions | None = None,
    out: str | Path | None = None,
    timed: bool = True,
) -> TrainingCost:
    """What a run takes; without a decoder it is a classifier on the encoder that is trained.

    A fixed encoder costs a forward pass; what is trained costs three times its forward pass. A few
    real steps are timed, which takes a second or two.

    Args:
        out: folder of the run; where it has begun, its precision is kept.
        timed: else a step is as fast per multiply-add as one convolution, which is rough.

    Raises:
        ValueError: no such device, or the folder's state is damaged.
    """
    machine = machine or MachineOptions()
    work, trained = _work(encoder, decoder, recipe.crop)
    photos = recipe.steps * recipe.batch_size
    if timed:
        precision, seconds = _speed(_objective(encoder, decoder), recipe, machine, out)
    else:
        precision = "fp32" if recipe.precision == "auto" else recipe.precision
        seconds = 2 * work * recipe.batch_size / convolution_rate()
    return TrainingCost(
        steps=recipe.steps,
        done=min(saved_step(Path(out)), recipe.steps) if out is not None else 0,
        photos=photos,
        multiply_adds=work * photos,
        disk=training_disk(trained, recipe),
        memory=_memory(encoder, decoder, recipe, machine),
        precision=precision,
        seconds_per_step=seconds,
    )


def training_disk(trained: Description, recipe: Recipe) -> int:
    """Bytes of a run's state, in float32 the weights and Adam's two moments, and of its curve."""
    return 3 * 4 * _parameters(trained) + _BYTES_PER_STEP * recipe.steps


def _work(
    encoder: Description | Encoder, decoder: Description | None, side: int
) -> tuple[int, Description]:
    """Multiply-adds per photo of a step, and what is trained."""
    if not isinstance(encoder, Description):
        assert decoder is not None, "a module's layer is not trained"
        size = (side, side)
        steps = trace(decoder, *encoder.feature_size(size), encoder.input_sizes(size))
        return _counted(encoder, side) + 3 * sum(step.multiply_adds for step in steps), decoder
    forward = sum(step.multiply_adds for step in trace(encoder, side, side))
    if decoder is None:
        return 3 * forward, encoder
    whole = sum(step.multiply_adds for step in trace(encoder + decoder, side, side))
    return forward + 3 * (whole - forward), decoder


@torch.no_grad()
def _counted(encoder: Encoder, side: int) -> int:
    """Multiply-adds of a forward pass of one photo, counted while it runs."""
    counter = FlopCounterMode(display=False)
    with counter:
        encoder(torch.zeros(1, 3, side, side))
    return int(counter.get_total_flops() // 2)


def _memory(
    encoder: Description | Encoder,
    decoder: Description | None,
    recipe: Recipe,
    machine: MachineOptions,
) -> int:
    """Of the process, the encoder's largest maps, and all that is kept for the gradient."""
    size, photos = (recipe.crop, recipe.crop), photos_at_once(recipe, machine)
    if decoder is None:
        assert isinstance(encoder, Description), "a module's layer is not trained"
        return _PROCESS + training_bytes(encoder, size, photos=photos)
    if isinstance(encoder, Description):
        inside, sizes = feature_size(encoder, size), input_sizes(encoder, *size)
        maps = map_bytes(encoder, size, photos=photos)
    else:
        inside, sizes = encoder.feature_size(size), encoder.input_sizes(size)
        maps = encoder_bytes(encoder, size, photos=photos)
    return _PROCESS + maps + training_bytes(decoder, inside, sizes, photos=photos)


def _parameters(description: Description) -> int:
    pairs = zip(description.operations, description.channels[:-1], strict=True)
    return sum(
        op.out_channels * count * op.kernel_size**2 for op, count in pairs if isinstance(op, Conv)
    )


def _objective(encoder: Description | Encoder, decoder: Description | None) -> Objective:
    """With random weights, on which the time of a step does not depend."""
    if not isinstance(encoder, Description):
        assert decoder is not None, "a module's layer is not trained"
        return Inversion(encoder, build(decoder), 1.0)
    if decoder is None:
        return Classification(classifier(encoder, _CLASSES))
    return Inversion(build(encoder), build(decoder), 1.0)


def _speed(
    objective: Objective, recipe: Recipe, machine: MachineOptions, out: str | Path | None
) -> tuple[Precision, float]:
    """The precision that a run would take, and seconds per step in it."""
    device = resolve_device(machine.device)
    known = recipe.precision
    if known == "auto" and out is not None:
        known = recorded_precision(Path(out)) or "auto"
    tried = PRECISIONS if known == "auto" else (known,)
    photos = photos_at_once(recipe, machine)
    times = time_steps(objective.to(device), recipe.crop, photos, device, tried)
    precision = faster(times) if known == "auto" else known
    return precision, median(times[precision]) * recipe.batch_size / photos
