"""A training run in a folder, with its loss curve and its state; it can be stopped and resumed.

A run's folder holds `metrics.jsonl` (a line per step), `state.safetensors` (weights, optimizer, the
number of steps, and the settings that they belong to) and what its command leaves when it is done.
"""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from preimage.data.archives import PhotoError
from preimage.data.checkpoints import Checkpoint, CheckpointError, write_checkpoint
from preimage.data.crops import Batch
from preimage.data.progress import training_bar
from preimage.data.records import write_json
from preimage.data.termination import Terminated
from preimage.decoders.cards import STATE_KIND, open_card, open_checkpoint
from preimage.decoders.loop import Training
from preimage.decoders.loss_curve import METRICS_FILE, cut_metrics, metrics_line, read_metrics

STATE_FILE = "state.safetensors"
SKIPPED_FILE = "skipped.json"
_log = logging.getLogger(__name__)


def saved_settings(folder: Path) -> dict[str, Any] | None:
    """The settings of the run that a folder holds; None if it holds none.

    Raises:
        CheckpointError: the state is damaged.
    """
    card = _saved_card(folder)
    return card and card["settings"]


def saved_step(folder: Path) -> int:
    """The number of steps that a folder's run has done and saved.

    Raises:
        CheckpointError: the state is damaged.
    """
    card = _saved_card(folder)
    return card["step"] if card else 0


def _saved_card(folder: Path) -> dict[str, Any] | None:
    path = folder / STATE_FILE
    return open_card(path, STATE_KIND) if path.exists() else None


def refuse_damage(folder: Path) -> None:
    """Reads what a run will go on from, before any work and before anything is written.

    Raises:
        ValueError: the state or the loss curve is damaged.
    """
    saved_settings(folder)
    read_metrics(folder / METRICS_FILE)


class Run:
    """A training and its folder.

    Args:
        settings: what the numbers depend on; a folder with other settings is refused.
        problems: a line for each photo that could not be read so far; the log repeats them at the
            end, and `skipped.json` keeps them.
        strict: a photo that cannot be read ends the run.

    Raises:
        ValueError: the folder contains a run with other settings, or a damaged state.
    """

    def __init__(
        self,
        training: Training,
        folder: Path,
        settings: Mapping[str, Any],
        problems: Iterable[str] = (),
        strict: bool = False,
    ) -> None:
        self.training, self.folder, self.settings = training, folder, dict(settings)
        self.problems, self.strict = set(problems), strict
        if self._state_path.exists():
            state = open_checkpoint(self._state_path, STATE_KIND)
            self._check(state.card["settings"])
            try:
                training.load_state(state.card["step"], state.tensors)
            except ValueError as error:
                raise CheckpointError(f"{self._state_path}: {error}") from None
            self.problems.update(_read_skipped(folder / SKIPPED_FILE))
        if training.accelerator.is_main_process:
            self._drop_metrics_after(training.step)

    @property
    def _state_path(self) -> Path:
        return self.folder / STATE_FILE

    @property
    def metrics_path(self) -> Path:
        """The loss curve: one JSON object per step."""
        return self.folder / METRICS_FILE

    def _check(self, saved: dict[str, Any]) -> None:
        now = json.loads(json.dumps(self.settings))
        if other := sorted(key for key in {*saved, *now} if saved.get(key) != now.get(key)):
            changes = "; ".join(f"{k}: {saved.get(k)!r} there, {now.get(k)!r} here" for k in other)
            raise ValueError(
                f"`out` {self.folder} holds a run with other settings ({changes}); go on with its "
                "settings, or name another folder."
            )

    def train(
        self,
        batches: Iterable[Batch],
        *,
        max_minutes: float | None = None,
        save_every: float = 60,
        probe: Callable[[], dict[str, float]] | None = None,
        probe_every: int = 1,
    ) -> bool:
        """Trains until the recipe's last step; returns whether it was reached.

        Stops between two steps after `max_minutes`, on Ctrl-C or on SIGTERM. The state is saved
        then and every `save_every` seconds. Every `probe_every` steps, the measurement of `probe`
        is written beside the loss; its time does not count as the step's.

        Raises:
            KeyboardInterrupt: Ctrl-C came, or SIGTERM (`Terminated`); the state is saved.
        """
        training, main = self.training, self.training.accelerator.is_main_process
        end = time.monotonic() + 60 * max_minutes if max_minutes else float("inf")
        saved = time.monotonic()
        waited = worked = 0.0
        with (
            open(self.metrics_path if main else os.devnull, "a", 1, "utf-8") as metrics,
            training_bar(training.step, training.recipe.steps, shown=main) as show,
            _asked_to_stop() as asked,
        ):
            for record in training.run(self._watched(batches)):
                waited, worked = waited + record.wait, worked + record.seconds - record.wait
                if main:
                    measured = probe() if probe and record.step % probe_every == 0 else {}
                    metrics.write(metrics_line({**asdict(record), **measured}))
                    show(record)
                stop = self._any(bool(asked) or time.monotonic() > end)
                if main and (stop or time.monotonic() - saved > save_every):
                    self._save()
                    saved = time.monotonic()
                if stop:
                    break
        if main:
            self._save()
        self._report(waited, worked)
        if asked:
            raise Terminated if asked[0] == signal.SIGTERM else KeyboardInterrupt
        return training.step >= training.recipe.steps

    def _watched(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            if self.strict and batch.problems:
                said = batch.problems[0].removesuffix(".")
                raise PhotoError(f"{said}; `strict` allows no photo to be skipped.")
            self.problems.update(batch.problems)
            yield batch

    def _any(self, here: bool) -> bool:
        """Whether it holds on any process: all must leave the loop at the same step."""
        accelerator = self.training.accelerator
        if accelerator.num_processes == 1:
            return here
        flag = torch.tensor(float(here), device=accelerator.device)
        return bool(accelerator.reduce(flag, "sum") > 0)

    def _save(self) -> None:
        if self.problems:
            write_json(self.folder / SKIPPED_FILE, {"photos": sorted(self.problems)})
        card = {"step": self.training.step, "settings": self.settings}
        write_checkpoint(self._state_path, Checkpoint(STATE_KIND, card, self.training.state()))

    def _drop_metrics_after(self, step: int) -> None:
        """Drops the steps made after the state was saved; they are repeated."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lost = step - len(cut_metrics(self.metrics_path, step))
        if lost:
            _log.warning(
                "%s: lacks %d of %d steps, whose losses are lost.", self.metrics_path, lost, step
            )

    def _report(self, waited: float, worked: float) -> None:
        if waited + worked and self.training.accelerator.is_main_process:
            slower = "the step waits for photos" if waited > worked / 20 else "photos are in time"
            _log.info(
                "%.0f %% of the time went into waiting for photos: %s.",
                100 * waited / (waited + worked),
                slower,
            )
        for line in sorted(self.problems):
            _log.warning("skipped: %s", line)
        if self.problems:
            _log.warning("%d images could not be read and were left out.", len(self.problems))


def _read_skipped(path: Path) -> list[str]:
    """The lines about photos that the run before could not read."""
    if not path.exists():
        return []
    try:
        return [str(line) for line in json.loads(path.read_text("utf-8"))["photos"]]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: damaged; delete it to go on without its photos.") from None


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Filled by Ctrl-C or SIGTERM, so that no step is cut short; a second Ctrl-C raises."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, frame: object) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
