"""One training loop for decoders and classifiers: a record per step, and a state to resume from.

An objective is a module whose `forward(pixels, labels)` returns the sum of the losses of a batch
and whose `trained` part is trained. Nothing in a step is random: batches come as a pure function of
the step (`preimage.data.crops`), so the state is weights, optimizer moments and the number of
steps.
"""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor, nn

from preimage.data.crops import Batch
from preimage.decoders.arrays import Labels, Pixels
from preimage.decoders.cards import require_tensors
from preimage.decoders.recipes import Recipe


class Objective(nn.Module):
    """What is minimised: the sum of the losses over the photos of a batch."""

    trained: nn.Module

    def forward(self, pixels: Pixels, labels: Labels | None) -> Float[Tensor, ""]:
        """The sum of the losses."""
        raise NotImplementedError


@dataclass(frozen=True)
class StepRecord:
    """One step: the number of steps done, the mean loss per photo, and where the time went.

    `seconds` is the whole step's time, `wait` the part of it spent waiting for photos;
    `core_seconds` is the processor time of this process, over all its threads.
    """

    step: int
    loss: float
    learning_rate: float
    photos: int
    seconds: float
    wait: float
    core_seconds: float


class Training:
    """An objective under a recipe, on one process or, under torchrun, on many.

    With several processes, each takes an equal part of every batch and sees the loss and the
    gradient of the whole batch: any number of processes gives the same numbers up to rounding.

    Args:
        accumulate: number of parts in which a process computes its share of a batch; saves memory.
        compiled: let torch.compile make the step; the first takes half a minute.
    """

    def __init__(
        self,
        objective: Objective,
        recipe: Recipe,
        accelerator: Accelerator,
        *,
        accumulate: int = 1,
        compiled: bool = False,
    ) -> None:
        self.objective = objective
        self.recipe = recipe
        self.accelerator = accelerator
        self.accumulate = accumulate
        self.step = 0
        # Not accelerate's own mixed precision, which is one for all trainings of a process.
        if recipe.precision == "auto":
            raise ValueError("`precision` must be fp32 or bf16 here; `open_training` decides auto.")
        self._bf16 = recipe.precision == "bf16"
        self.parameters = [p for p in objective.trained.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(
            self.parameters,
            lr=recipe.learning_rate,
            betas=(recipe.beta1, recipe.beta2),
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        model = torch.compile(objective) if compiled else objective
        self._model, self._prepared = accelerator.prepare(model, optimizer)
        self._optimizer = optimizer

    def run(self, batches: Iterable[Batch]) -> Iterator[StepRecord]:
        """One step per batch until the recipe's last step or the last batch.

        The batches must begin at step `self.step`.

        Raises:
            ArithmeticError: the loss is not finite.
        """
        stream = iter(batches)
        self.objective.trained.train()
        while self.step < self.recipe.steps:
            start, start_of_cores = time.perf_counter(), time.process_time()
            batch = next(stream, None)
            if batch is None:
                return
            wait = time.perf_counter() - start
            rate = self.recipe.learning_rate_at(self.step)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            loss = self._step(batch) / self.recipe.batch_size
            if not math.isfinite(loss):
                raise ArithmeticError(
                    f"the loss is {loss} at step {self.step + 1}; lower `learning_rate`"
                    f"{' or set `precision` to fp32' if self._bf16 else ''}."
                )
            self.step += 1
            yield StepRecord(
                self.step,
                loss,
                rate,
                self.recipe.batch_size,
                seconds=time.perf_counter() - start,
                wait=wait,
                core_seconds=time.process_time() - start_of_cores,
            )

    def _step(self, batch: Batch) -> float:
        """Moves the weights by one batch; the sum of the losses over all processes."""
        device = self.accelerator.device
        pixels = batch.pixels.to(device, non_blocking=True)
        labels = None if batch.labels is None else batch.labels.to(device, non_blocking=True)
        parts = min(self.accumulate, len(pixels))
        total = torch.zeros((), device=device)
        for index in range(parts):
            here = slice(index * len(pixels) // parts, (index + 1) * len(pixels) // parts)
            last = index == parts - 1
            with nullcontext() if last else self.accelerator.no_sync(self._model):
                with torch.autocast(device.type, torch.bfloat16, self._bf16):
                    loss = self._model(pixels[here], None if labels is None else labels[here])
                # Processes average their gradients; the batch's loss is a sum.
                self.accelerator.backward(loss * self.accelerator.num_processes)
            total += loss.detach()
        self._prepared.step()
        self._prepared.zero_grad()
        if self.accelerator.num_processes > 1:
            total = self.accelerator.reduce(total, "sum")
        return float(total)

    # --- state -------------------------------------------------------------------------------

    def state(self) -> dict[str, Tensor]:
        """Weights (`trained.*`) and Adam's moments (`optimizer.*`): what the next step needs."""
        tensors = {f"trained.{k}": v for k, v in self.objective.trained.state_dict().items()}
        for index, parameter in enumerate(self.parameters):
            for name, value in self._optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{index}.{name}"] = value
        return tensors

    def load_state(self, step: int, tensors: dict[str, Tensor]) -> None:
        """Goes back to where `state` was taken after `step` steps.

        Raises:
            ValueError: the state belongs to another network.
        """
        # The mean squares of a training that goes astray overflow, and it goes on.
        finite = {
            k: torch.where(v.isposinf(), 0, v) if k.endswith(".exp_avg_sq") else v
            for k, v in tensors.items()
        }
        require_tensors(finite, self._expected(tensors), "the saved state is of another network")
        trained = {
            k.removeprefix("trained."): v for k, v in tensors.items() if k.startswith("trained.")
        }
        self.objective.trained.load_state_dict(trained)
        device = self.accelerator.device
        for index, parameter in enumerate(self.parameters):
            prefix = f"optimizer.{index}."
            moments = {
                k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
            }
            if moments:
                self._optimizer.state[parameter] = {
                    # Saved contiguous; a step's bits depend on the memory format of its operands.
                    k: torch.empty_like(parameter).copy_(v) if v.dim() else v.to(device)
                    for k, v in moments.items()
                }
        self.step = step

    def _expected(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors of the form that a state has, with Adam's where it has any of a parameter."""
        expected = {f"trained.{k}": v for k, v in self.objective.trained.state_dict().items()}
        begun = {name.rpartition(".")[0] for name in tensors}
        for index, parameter in enumerate(self.parameters):
            if (prefix := f"optimizer.{index}") in begun:
                expected |= {f"{prefix}.exp_avg": parameter, f"{prefix}.exp_avg_sq": parameter}
                expected[f"{prefix}.step"] = torch.zeros(())
        return expected
