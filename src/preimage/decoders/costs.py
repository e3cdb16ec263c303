"""What a training takes: steps, multiply-adds, disk, and hours on the machine at hand."""

import time
from dataclasses import dataclass

import torch

from preimage.decoders.recipes import Recipe
from preimage.network.description import Description
from preimage.network.operations import Conv
from preimage.network.trace import trace


@dataclass(frozen=True)
class TrainingCost:
    """Steps, photos and multiply-adds of a run, and bytes of its state on the disk."""

    steps: int
    photos: int
    multiply_adds: int
    state_bytes: int


def training_cost(
    encoder: Description, decoder: Description | None, recipe: Recipe
) -> TrainingCost:
    """What a run takes; without a decoder it is the encoder that is trained.

    A fixed encoder runs forwards; what is trained costs three times its forward pass.
    """
    side = recipe.crop
    forward = sum(step.multiply_adds for step in trace(encoder, side, side))
    trained, work = encoder, 3 * forward
    if decoder is not None:
        whole = sum(step.multiply_adds for step in trace(encoder + decoder, side, side))
        trained, work = decoder, forward + 3 * (whole - forward)
    pairs = zip(trained.operations, trained.channels[:-1], strict=True)
    parameters = sum(
        op.out_channels * count * op.kernel_size**2 for op, count in pairs if isinstance(op, Conv)
    )
    photos = recipe.steps * recipe.batch_size
    # float32: the weight and Adam's two moments
    return TrainingCost(recipe.steps, photos, work * photos, 3 * 4 * parameters)


def measured_rate(seconds: float = 0.5) -> float:
    """Multiply-adds per second of this machine in a 3×3 convolution of 64 channels, float32."""
    x = torch.randn(4, 64, 64, 64).contiguous(memory_format=torch.channels_last)
    w = torch.randn(64, 64, 3, 3).contiguous(memory_format=torch.channels_last)
    rounds, start = 0, time.perf_counter()
    while rounds < 3 or time.perf_counter() - start < seconds:
        torch.nn.functional.conv2d(x, w, padding=1)
        rounds += 1
    return x.numel() * 64 * 9 * rounds / (time.perf_counter() - start)
