"""Recipes: how a network is trained, apart from what it is trained for."""

from dataclasses import dataclass, replace
from math import cos, pi
from typing import Annotated, Any, Literal

from preimage.decoders.options import Input
from preimage.network.ranges import Above0, Nonnegative, Positive, Range, Side, SideOrAsItIs
from preimage.network.spec import Checked

RecipeName = Literal["paper", "quick"]
Precision = Literal["fp32", "bf16"]
PrecisionName = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Recipe(Checked):
    """Adam, its schedule, and the crops it sees.

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

    steps: Positive
    batch_size: Positive = 32
    learning_rate: Above0 = 1e-4
    schedule: Literal["multistep", "cosine"] = "multistep"
    warmup: Annotated[float, Range(0, 1, below=True)] = 0.0
    weight_decay: Nonnegative = 0.0
    beta1: Annotated[float, Range(0, 1, below=True)] = 0.9
    beta2: Annotated[float, Range(0, 1, below=True)] = 0.999
    crop: Side = 227
    resize: SideOrAsItIs = 0
    flip: bool = False
    shift: int = 0
    precision: PrecisionName = "fp32"
    feature_scaling: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resize and self.resize < self.crop:
            raise ValueError(
                f"`resize` must be 0 or no smaller than `crop`, {self.crop}, got {self.resize}."
            )

    def learning_rate_at(self, step: int) -> float:
        """The rate of step `step`, counted from 0.

        With p = step / steps and the warm-up w: a linear rise while p < w; then
        `learning_rate` (1 + cos π(p − w)/(1 − w)) / 2, or for multistep `learning_rate` / 2ⁿ with
        n of the edges 0.5, 0.75, 0.9 passed.
        """
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


#: `paper` is Section 3; `quick` answers in minutes on a CPU. Its numbers were chosen for VGG16 at
#: width 1/4; benchmarks/RESULTS-decoders.md has the measurements.
DECODER_RECIPES: dict[str, Recipe] = {
    "paper": Recipe(
        steps=200_000,
        # "weight decay 4e-4": of Caffe, which adds it to the gradient. The schedule is called
        # "multistep" without its steps; ours are at 50, 75 and 90 %.
        weight_decay=4e-4,
        resize=256,  # photos of ImageNet, whose short side Caffe brings to 256
        crop=227,
        feature_scaling=False,  # a device of ours
    ),
    "quick": Recipe(
        # Past the best least-squares decoder (26.1 dB at Conv2) after about 2,000 steps, and 0.1 dB
        # short of 12,000 steps (28.05 and 28.17 dB): longer hardly pays.
        steps=8_000,
        # The paper's batch is 32. Half of it makes twice the steps in the same time.
        batch_size=16,
        # After 2,000 steps at Conv2: 26.43 dB at 2e-3, 26.83 at 4e-3, 27.06 at 8e-3. The paper's
        # 1e-4 is for 25 times as many steps.
        learning_rate=8e-3,
        # To 0, where a high rate would leave the weights jittering at the end.
        schedule="cosine",
        # 160 steps: Adam's second moment, a mean over about 1,000 steps, begins with none, and its
        # first steps are as long as the rate allows.
        warmup=0.02,
        # A multiple of every stride of VGG16, 16 at the most, so that nothing is cropped; large
        # beside the receptive field at Conv2 and Conv3. A twelfth of the pixels of 227.
        crop=64,
        flip=True,  # 900 photos are few; mirrored ones are as good
        precision="auto",
    ),
}
#: What a random encoder does to pixels first: in Section 3, only the mean is subtracted.
DECODER_INPUTS: dict[str, Input] = {"paper": "mean-subtracted", "quick": "imagenet"}

#: For CIFAR-10 at width 1/4: 80.0 and 80.3 % test accuracy with 4,500 of these steps.
CLASSIFIER_RECIPE = Recipe(
    steps=6_000,
    batch_size=128,
    learning_rate=3e-3,
    schedule="cosine",
    warmup=0.2,
    weight_decay=1e-4,
    crop=32,  # with flips and shifts by 4, what classifiers of CIFAR-10 are usually trained on
    flip=True,
    shift=4,
    precision="auto",
    feature_scaling=False,  # of decoders alone
)
