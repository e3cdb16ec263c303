"""What the trainings of a figure take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from preimage.data.cost import takes
from preimage.decoders.costs import TrainingCost, training_cost
from preimage.decoders.encoders import described
from preimage.decoders.options import MachineOptions
from preimage.decoders.recipes import Recipe
from preimage.network.description import Description
from preimage.paper.arms import Arm
from preimage.paper.trainings import Trainings

_ROUGH = 20.0  # seconds of a kind of training, whose steps are then timed for one or two
_What = tuple[Description, Description, Recipe, MachineOptions, Path]


@dataclass(frozen=True)
class TrainingsCost:
    """What the trainings of a figure take; equal ones are made once."""

    figure: str
    trainings: Sequence[TrainingCost]

    @property
    def seconds(self) -> float:
        """Of the steps that are left."""
        return float(sum(one.seconds for one in self.trainings))

    @property
    def memory(self) -> int:
        """Of the largest."""
        return max((one.memory for one in self.trainings), default=0)

    @property
    def disk(self) -> int:
        """Of all."""
        return sum(one.disk for one in self.trainings)

    def __str__(self) -> str:
        done = sum(one.done for one in self.trainings)
        return (
            f"{self.figure}: {len(self.trainings)} trainings, "
            f"{sum(one.steps for one in self.trainings):,} steps ({done:,} done), "
            f"{sum(one.photos for one in self.trainings):,} photos, "
            f"{2 * sum(one.multiply_adds for one in self.trainings):.1e} FLOPs; "
            f"{takes(self)}, by steps timed on this machine"
        )


def trainings_cost(trainings: Trainings, arms: Sequence[Arm]) -> TrainingsCost:
    """The cost of all; steps of a kind are timed once, where by a rough count they take long."""
    machine = MachineOptions(device=trainings.options.device)
    kinds: dict[tuple[int, int], list[tuple[TrainingCost, _What]]] = {}
    for settings in {s.folder: s for s in map(trainings.settings, arms)}.values():
        encoder = described(settings.encoder)
        decoder = settings.decoder.description(encoder)
        what = encoder, decoder, settings.recipe, machine, settings.folder
        rough = training_cost(*what, timed=False)
        kinds.setdefault((rough.multiply_adds, rough.memory), []).append((rough, what))
    costs: list[TrainingCost] = []
    for alike in kinds.values():
        found = [rough for rough, _ in alike]
        if sum(rough.seconds for rough in found) > _ROUGH:
            step = training_cost(*alike[0][1]).seconds_per_step
            found = [replace(rough, seconds_per_step=step) for rough in found]
        costs += found
    return TrainingsCost(trainings.options.figure, costs)
