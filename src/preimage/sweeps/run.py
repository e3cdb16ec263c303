"""A sweep, from the wanted cells to their rows: computes what the store lacks."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from preimage.data.progress import progress_bar
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.backends import open_backend
from preimage.sweeps.cells import label
from preimage.sweeps.engine import JobOutcome, execute
from preimage.sweeps.grid import Execution
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Row, Store
from preimage.sweeps.trials import by_encoder

_log = logging.getLogger(__name__)


@dataclass
class Results:
    """The rows of the cells that are done.

    Attributes:
        cells: all that were asked for, in order.
        rows: of the finished ones, one per photo.
        failed: why cells failed, by their `label`.
    """

    cells: list[ReconstructConfig]
    photos: PackedPhotos
    rows: dict[ReconstructConfig, list[Row]]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """How many cells are not done."""
        return len(self.cells) - len(self.rows)

    def average(
        self, config: ReconstructConfig, metric: str, absolute: bool = False
    ) -> float | None:
        """The average of a score, or of its absolute value, over photos; None if not done."""
        rows = self.rows.get(config)
        if rows is None:
            return None
        return fmean(abs(row[metric]) if absolute else row[metric] for row in rows)

    def shortfall(self) -> str:
        """What is missing and what failed, in one line; empty if nothing is missing."""
        if not self.missing:
            return ""
        text = f"{self.missing} of {len(self.cells)} cells are missing"
        if self.failed:
            cell, error = next(iter(self.failed.items()))
            text += f", {len(self.failed)} of them failed repeatedly, such as {cell}: {error}"
        return text + " (the same command goes on from here)."


def run_sweep(
    cells: Sequence[ReconstructConfig],
    photos: PackedPhotos,
    store: Store,
    execution: Execution,
    record: Mapping[str, Any],
    deadline: float | None = None,
) -> Results:
    """Computes the cells that the store lacks, saving each as soon as it is finished.

    Args:
        record: what to keep in the store's `sweep.json`, such as the command.
        deadline: a time of `time.monotonic`; `execution.max_minutes` from now if not given.

    Raises:
        ValueError: the store holds other photos or conventions, or there is no scheduler.
    """
    if deadline is None and execution.max_minutes is not None:
        deadline = time.monotonic() + 60 * execution.max_minutes
    store.claim(cells, photos, record)
    found = {config: store.load(config, photos) for config in cells}
    rows = {config: loaded for config, loaded in found.items() if loaded is not None}
    results = Results(list(cells), photos, rows)
    missing = (config for config in cells if config not in rows)
    jobs = [tuple(group) for group in by_encoder(missing, photos.sizes)]
    if not jobs:
        return results
    backend = open_backend(execution, cells[0].device)
    with progress_bar("cells", len(cells)) as advance:
        advance(len(rows))
        for outcome in execute(jobs, photos, backend, threads=execution.threads, deadline=deadline):
            _keep(outcome, results, store)
            advance(len(outcome.configs))
    return results


def _keep(outcome: JobOutcome, results: Results, store: Store) -> None:
    for index, config in enumerate(outcome.configs):
        if outcome.result is None:
            store.fail(config, results.photos, outcome.error)
            results.failed[label(config)] = outcome.error
            _log.warning("%s: %s", label(config), outcome.error)
        else:
            rows = outcome.result.rows[index]
            store.save(config, results.photos, rows, outcome.result.run)
            results.rows[config] = rows
