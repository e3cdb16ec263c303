"""Recipes: how a network is trained, apart from what it is trained for."""

from dataclasses import dataclass, replace
from math import cos, pi
from typing import Any, Literal

from preimage.decoders.options import Input
from preimage.network.spec import Checked

RecipeName = Literal["paper", "quick"]
Precision = Literal["fp32", "bf16"]
PrecisionName = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Recipe(Checked):
    """Adam, its schedule and its photos. `learning_rate_at` is the schedule.

    Args:
        steps: Number of steps, each of one batch.
        batch_size: Photos per step, over all processes.
        learning_rate: The highest rate of the schedule.
        schedule: multistep halves the rate at 50, 75 and 90 % of the steps; cosine takes it to 0.
        warmup: Fraction of the steps in which the rate rises linearly.
        weight_decay: Added to the gradient as weight_decay times the weight (L2, as in Caffe).
        beta1: Decay of Adam's mean of gradients.
        beta2: Decay of Adam's mean of squared gradients.
        crop: Side of the photos' random crops, in pixels.
        resize: The shorter side is first resized to this; 0 keeps photos as they are.
        flip: Mirror half of the crops.
        shift: Pad by this many pixels before the crop, for photos no larger than the crop.
        precision: bf16 computes convolutions in bfloat16 and keeps weights in float32; `auto` is
            the faster of the two on the machine where the run begins (`decoders.speed`).
        feature_scaling: Divide features by their root mean square, one constant.
    """

    steps: int
    batch_size: int = 32
    learning_rate: float = 1e-4
    schedule: Literal["multistep", "cosine"] = "multistep"
    warmup: float = 0.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    crop: int = 227
    resize: int = 0
    flip: bool = False
    shift: int = 0
    precision: PrecisionName = "fp32"
    feature_scaling: bool = True

    def learning_rate_at(self, step: int) -> float:
        """The rate of step `step`, counted from 0."""
        progress = step / self.steps
        if progress < self.warmup:
            return self.learning_rate * (step + 1) / (self.warmup * self.steps + 1)
        if self.schedule == "multistep":
            return self.learning_rate * 0.5 ** sum(progress >= edge for edge in (0.5, 0.75, 0.9))
        left = (progress - self.warmup) / (1 - self.warmup)
        return self.learning_rate * (1 + cos(pi * left)) / 2

    def changed(self, **values: Any) -> "Recipe":
        """This recipe with its values replaced by those that are not None."""
        return replace(self, **{k: v for k, v in values.items() if v is not None})


#: Section 3 to the letter, its steps at 50, 75 and 90 % (not given in the paper), and one for CPUs.
DECODER_RECIPES: dict[str, Recipe] = {
    "paper": Recipe(
        steps=200_000,
        weight_decay=4e-4,
        resize=256,
        crop=227,
        feature_scaling=False,
    ),
    "quick": Recipe(
        steps=8_000,
        batch_size=16,
        learning_rate=8e-3,
        schedule="cosine",
        warmup=0.02,
        crop=64,
        flip=True,
        precision="auto",
    ),
}
#: What a random encoder does to pixels first: in Section 3, only the mean is subtracted.
DECODER_INPUTS: dict[str, Input] = {"paper": "mean-subtracted", "quick": "imagenet"}
CLASSIFIER_RECIPE = Recipe(
    steps=6_000,
    batch_size=128,
    learning_rate=3e-3,
    schedule="cosine",
    warmup=0.2,
    weight_decay=1e-4,
    crop=32,
    flip=True,
    shift=4,
    precision="auto",
    feature_scaling=False,
)
