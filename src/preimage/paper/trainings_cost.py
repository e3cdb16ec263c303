"""What the trainings of a figure take."""

from collections.abc import Sequence

from preimage.decoders.costs import measured_rate, training_cost
from preimage.paper.trainings import Arm, Trainings


def cost_text(trainings: Trainings, arms: Sequence[Arm]) -> str:
    """Trainings, steps, photos, work, disk, and hours on this machine; equal ones are made once."""
    distinct = {s.folder: s for s in map(trainings.settings, arms)}.values()
    costs = []
    for settings in distinct:
        # The file of a trained encoder is not opened: its widths are the architecture's or less.
        encoder = settings.encoder.description()
        decoder = settings.decoder.description(encoder)
        costs.append(training_cost(encoder, decoder, settings.recipe))
    work = sum(cost.multiply_adds for cost in costs)
    hours = work / measured_rate() / 3600
    return (
        f"{trainings.options.figure}: {len(costs)} trainings, "
        f"{sum(cost.steps for cost in costs):,} steps, "
        f"{sum(cost.photos for cost in costs):,} photos, {2 * work:.1e} FLOPs, "
        f"{sum(cost.state_bytes for cost in costs) / 1e6:.0f} MB on the disk, "
        f"{hours:.2f} hours at this machine's speed in a 3×3 convolution"
    )
