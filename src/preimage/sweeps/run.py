"""A sweep from its cells to their rows: computes what the store lacks."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from preimage.data.progress import progress_bar
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.backends import open_backend
from preimage.sweeps.engine import execute
from preimage.sweeps.grid import Execution
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Row, Store, label
from preimage.sweeps.trials import by_encoder


@dataclass
class Results:
    """The rows of the cells that are done; `cells` are all that were asked for, in order."""

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
        """A cell's average of a score, or of its absolute value, over photos; None if not done."""
        rows = self.rows.get(config)
        if rows is None:
            return None
        return fmean(abs(row[metric]) if absolute else row[metric] for row in rows)

    def shortfall(self) -> str:
        """What is missing and failed, in one line; empty if nothing is."""
        if not self.missing:
            return ""
        text = f"{self.missing} of {len(self.cells)} cells are missing"
        if self.failed:
            cell, error = next(iter(self.failed.items()))
            text += f", {len(self.failed)} of them failed three times, such as {cell}: {error}"
        return text + " (the same command goes on from here)."


def run_sweep(
    cells: Sequence[ReconstructConfig],
    photos: PackedPhotos,
    store: Store,
    execution: Execution,
    record: Mapping[str, Any],
    deadline: float | None = None,
) -> Results:
    """Computes the cells that the store lacks, keeping each as soon as it is there.

    Args:
        record: what to keep in the store's `sweep.json`, such as the command.
        deadline: of `time.monotonic`; `execution.max_minutes` from now if not given.

    Raises:
        ValueError: the store belongs to other photos or conventions; or no scheduler.
    """
    if deadline is None and execution.max_minutes is not None:
        deadline = time.monotonic() + 60 * execution.max_minutes
    store.claim(cells, photos, record)
    results = Results(list(cells), photos, {})
    for config in cells:
        rows = store.load(config, photos)
        if rows is not None:
            results.rows[config] = rows
    groups = by_encoder(config for config in cells if config not in results.rows)
    if not groups:
        return results
    backend = open_backend(execution, cells[0].device)
    jobs = [tuple(group) for group in groups]
    with progress_bar("cells", len(cells)) as advance:
        advance(len(results.rows))
        for outcome in execute(jobs, photos, backend, threads=execution.threads, deadline=deadline):
            for index, config in enumerate(outcome.configs):
                if outcome.result is None:
                    store.fail(config, photos, outcome.error)
                    results.failed[label(config)] = outcome.error
                    print(f"preimage: {label(config)}: {outcome.error}", file=sys.stderr)
                else:
                    rows = outcome.result.rows[index]
                    store.save(config, photos, rows, outcome.result.run)
                    results.rows[config] = rows
                advance(1)
    return results
