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
from preimage.data.checkpoints import Checkpoint, read_card, read_checkpoint, write_checkpoint
from preimage.data.crops import Batch
from preimage.data.progress import training_bar
from preimage.data.records import write_json, write_text
from preimage.decoders.loop import Training

STATE_KIND = "training state"
STATE_FILE = "state.safetensors"
METRICS_FILE = "metrics.jsonl"
SKIPPED_FILE = "skipped.json"
_log = logging.getLogger(__name__)


def saved_settings(folder: Path) -> dict[str, Any] | None:
    """The settings of the run that a folder holds; None if it holds none.

    Raises:
        CheckpointError: the state is damaged.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    settings: dict[str, Any] = read_card(path, STATE_KIND)["settings"]
    return settings


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
            state = read_checkpoint(self._state_path, STATE_KIND)
            self._check(state.card["settings"])
            training.load_state(state.card["step"], state.tensors)
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

        Stops between two steps after `max_minutes` or on Ctrl-C. The state is saved then and every
        `save_every` seconds. Every `probe_every` steps, the measurement of `probe` is written
        beside the loss; its time does not count as the step's.

        Raises:
            KeyboardInterrupt: Ctrl-C came; the state is saved.
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
                    metrics.write(json.dumps({**asdict(record), **measured}) + "\n")
                    show(record)
                stop = self._any(asked.is_set() or time.monotonic() > end)
                if main and (stop or time.monotonic() - saved > save_every):
                    self._save()
                    saved = time.monotonic()
                if stop:
                    break
        if main:
            self._save()
        self._report(waited, worked)
        if asked.is_set():
            raise KeyboardInterrupt
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
        kept = [line for line in read_metrics(self.metrics_path) if line["step"] <= step]
        write_text(self.metrics_path, "".join(json.dumps(line) + "\n" for line in kept))

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


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a loss curve, without a last line that was cut off."""
    lines = []
    for text in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, so that no step is cut short; a second one raises."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
