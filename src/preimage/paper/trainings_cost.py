"""What the figures of trained decoders share."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from preimage.decoders.costs import measured_rate, training_cost
from preimage.paper.trainings import Trainings


def figure_cost(trainings: Trainings, arms: Sequence[Mapping[str, Any]]) -> str:
    """How many trainings a figure needs, and what they take."""
    distinct = {arm.out: arm for arm in map(trainings.training, arms)}
    total: dict[str, float] = {}
    for arm in distinct.values():
        # The file of a trained encoder is not opened: its widths are the architecture's or less.
        encoder = arm.encoder.description()
        cost = training_cost(encoder, arm.decoder.description(encoder), arm.recipe)
        for name, value in asdict(cost).items():
            total[name] = total.get(name, 0) + value
    hours = total["multiply_adds"] / measured_rate() / 3600
    return (
        f"{len(distinct)} trainings, {total['steps']:,.0f} steps, {total['photos']:,.0f} photos, "
        f"{2 * total['multiply_adds']:.1e} FLOPs, {total['state_bytes'] / 1e6:.0f} MB on the disk, "
        f"{hours:.2f} hours at this machine's speed in a 3×3 convolution"
    )
