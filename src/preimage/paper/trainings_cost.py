"""What the figures of trained decoders share."""

from collections.abc import Mapping, Sequence
from typing import Any

from preimage.decoders.learning import costs, measured_rate
from preimage.paper.trainings import Trainings


def print_dry_run(trainings: Trainings, arms: Sequence[Mapping[str, Any]]) -> None:
    """Prints how many trainings a figure needs, and what they cost."""
    commands = {command.out: command for command in map(trainings.command, arms)}
    total: dict[str, float] = {}
    for command in commands.values():
        # The file of a trained encoder is not opened: its widths are the architecture's or less.
        encoder = command.encoder_description()
        for name, value in costs(
            encoder, command.decoder_of(encoder), command.training_recipe()
        ).items():
            total[name] = total.get(name, 0) + value
    hours = total["multiply_adds"] / measured_rate() / 3600
    print(
        f"{len(commands)} trainings, {total['steps']:,.0f} steps, {total['photos']:,.0f} photos, "
        f"{2 * total['multiply_adds']:.1e} FLOPs, {total['state_bytes'] / 1e6:.0f} MB on the disk, "
        f"{hours:.2f} hours at this machine's speed in a 3×3 convolution"
    )
