"""What the trainings of a figure take."""

from collections.abc import Sequence

from preimage.data.tables import duration
from preimage.decoders.costs import training_cost
from preimage.decoders.options import MachineOptions
from preimage.paper.trainings import Arm, Trainings


def cost_text(trainings: Trainings, arms: Sequence[Arm]) -> str:
    """Trainings, steps, photos, work, disk, and time on this machine; equal ones are made once."""
    distinct = {s.folder: s for s in map(trainings.settings, arms)}.values()
    machine = MachineOptions(device=trainings.options.device)
    costs = []
    for settings in distinct:
        # The file of a trained encoder is not opened: its widths are the architecture's or less.
        encoder = settings.encoder.description()
        decoder = settings.decoder.description(encoder)
        costs.append(training_cost(encoder, decoder, settings.recipe, machine, settings.folder))
    return (
        f"{trainings.options.figure}: {len(costs)} trainings, "
        f"{sum(cost.steps for cost in costs):,} steps, "
        f"{sum(cost.photos for cost in costs):,} photos, "
        f"{2 * sum(cost.multiply_adds for cost in costs):.1e} FLOPs, "
        f"{sum(cost.state_bytes for cost in costs) / 1e6:.0f} MB on the disk, "
        f"about {duration(sum(cost.seconds for cost in costs))} by steps timed on this machine"
    )
