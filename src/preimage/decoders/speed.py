"""How long a training step takes here, and which precision is faster: timed, not assumed.

Processors differ: bfloat16 convolutions halve the time of a step where the processor has
instructions for them, and take ten times as long where it has not (benchmarks/RESULTS-decoders.md).
"""

import copy
import time
from collections.abc import Sequence

import torch

from preimage.decoders.loop import Objective
from preimage.decoders.recipes import Precision

PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
# bf16 costs accuracy, so it must win by more than the noise of a measurement.
_WORTH_IT = 1.15
_LONGEST = 0.2  # seconds per timed step; photos are left out of the batch to stay below it
# The best of three rounds is rarely disturbed by other programs; more rounds fill up a second.
_ROUNDS, _MOST_ROUNDS, _SECONDS = 3, 20, 1.0

StepTimes = dict[Precision, list[float]]
_known: dict[tuple[object, ...], StepTimes] = {}


def faster(times: StepTimes) -> Precision:
    """bf16 where its best step is clearly faster than fp32's, else fp32."""
    return "bf16" if _WORTH_IT * min(times["bf16"]) < min(times["fp32"]) else "fp32"


def time_steps(
    objective: Objective,
    crop: int,
    photos: int,
    device: torch.device,
    precisions: Sequence[Precision] = PRECISIONS,
) -> StepTimes:
    """Seconds that single steps of `photos` photos take in each precision, measured in turns.

    Where a step takes long, steps of fewer photos are timed and scaled up. Objectives of the same
    shapes are timed once per process, so the arms of a comparison share one choice.
    """
    shapes = tuple(tuple(parameter.shape) for parameter in objective.parameters())
    key = (type(objective), shapes, crop, photos, device)
    known = _known.setdefault(key, {})
    if missing := [name for name in precisions if name not in known]:
        known |= _measure(objective, crop, photos, device, missing)
    return {name: known[name] for name in precisions}


def _measure(
    objective: Objective,
    crop: int,
    photos: int,
    device: torch.device,
    precisions: Sequence[Precision],
) -> StepTimes:
    small = StepTimer(objective, crop, 1, device)
    small.seconds(precisions[0])  # the very first step prepares its kernels
    timed = min(photos, max(1, int(_LONGEST / small.seconds(precisions[0]))))
    timer = StepTimer(objective, crop, timed, device)
    for name in precisions:
        timer.seconds(name)
    rounds: list[dict[Precision, float]] = []
    end = time.perf_counter() + _SECONDS
    while len(rounds) < _ROUNDS or (time.perf_counter() < end and len(rounds) < _MOST_ROUNDS):
        # In turns, so that another program on the machine slows all of them down.
        rounds.append({name: timer.seconds(name) for name in precisions})
    return {name: [each[name] * photos / timed for each in rounds] for name in precisions}


class StepTimer:
    """Steps of a copy of an objective, with an optimizer of its own, on random pixels."""

    def __init__(self, objective: Objective, crop: int, photos: int, device: torch.device) -> None:
        self.objective = copy.deepcopy(objective)
        self.objective.trained.train()
        self.device = device
        self.optimizer = torch.optim.Adam(self.objective.trained.parameters(), lr=0.0, fused=True)
        generator = torch.Generator().manual_seed(0)
        size = (photos, 3, crop, crop)
        pixels = torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)
        self.pixels = pixels.to(device)
        self.labels = torch.zeros(photos, dtype=torch.int64, device=device)

    def seconds(self, precision: Precision) -> float:
        """The time of one step: forward, backward, Adam."""
        self._synchronize()
        start = time.perf_counter()
        with torch.autocast(self.device.type, torch.bfloat16, precision == "bf16"):
            loss = self.objective(self.pixels, self.labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._synchronize()
        return time.perf_counter() - start

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
