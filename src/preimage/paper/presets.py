"""How the decoders of a figure are trained at each scale."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from preimage.data.photo import SIZE
from preimage.decoders.recipes import RecipeName

#: Random networks per point: three have an interval, and take minutes; the paper shows one.
NETWORKS = {"quick": 3, "paper": 1}


@dataclass(frozen=True)
class Preset:
    """Settings of every training of a scale; None is the recipe's or the architecture's own.

    Args:
        in_memory: photos are read once, as squares of this side; 0 reads each when needed.
        photos: training and held-out photos that are scored.
        rates: the learning rates that Figures 2a and 3a choose from; none: the recipe's.
        layer_rates, layer_steps: of Figure 4's deep layers: the learning rate, and how many times
            as many steps.
    """

    recipe: RecipeName
    steps: int
    crop: int
    in_memory: int
    photos: int
    learning_rate: float | None = None
    width_factor: float | None = None
    batch_size: int | None = None
    precision: Literal["fp32"] | None = None
    rates: tuple[float, ...] = ()
    layer_rates: Mapping[str, float] = field(default_factory=dict)
    layer_steps: Mapping[str, int] = field(default_factory=dict)


PRESETS = {
    "quick": Preset(
        recipe="quick",
        steps=300,  # curves have parted, and a training takes seconds
        crop=64,
        in_memory=128,
        photos=100,
        learning_rate=2e-3,  # the lowest of the three, for figures that tune none
        width_factor=0.25,
        precision="fp32",  # whatever is fastest here: figures have one set of numbers
        rates=(2e-3, 4e-3, 8e-3),
        layer_rates={"conv4": 5e-4, "conv5": 5e-4},  # at 2e-3 half of VGG16's diverge
        layer_steps={"conv4": 2, "conv5": 3},
    ),
    "paper": Preset(recipe="paper", steps=200_000, crop=SIZE, in_memory=0, photos=5000),
}
