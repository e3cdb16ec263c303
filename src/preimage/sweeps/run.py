"""A sweep, from the wanted cells to their rows: computes what the store lacks."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from preimage.data.each_photo import keeping
from preimage.data.photos import Photos, open_photos
from preimage.data.progress import progress_bar
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.backends import open_backend
from preimage.sweeps.cells import label
from preimage.sweeps.engine import JobOutcome, execute
from preimage.sweeps.grid import Execution
from preimage.sweeps.jobs import in_turn
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.results import Results as Results
from preimage.sweeps.store import Store
from preimage.sweeps.trials import by_encoder
from preimage.sweeps.workers import refuse_in_worker

_log = logging.getLogger(__name__)


def run_sweep(
    cells: Sequence[ReconstructConfig],
    photos: PackedPhotos | Photos | None,
    store: Store | str | Path,
    execution: Execution | None = None,
    record: Mapping[str, Any] | None = None,
    deadline: float | None = None,
) -> Results:
    """Computes the cells that the store lacks, saving each as soon as it is finished.

        grid = SweepConfig(layer=("conv1",), width=(4, 16, 64), head=("mean",), networks=5)
        results = run_sweep(grid.cells(), "photos/", "sweep/")
        results.plot()

    Args:
        cells: `SweepConfig.cells` of a grid.
        photos: packed, or in any form that `preimage.load_photos` takes; files are cropped and
            resized to the cells' `size`. None for the four embedded photos.
        store: or the folder of one.
        execution: on as many processes as fit the machine's cores if not given.
        record: what to keep in the store's `sweep.json`, such as the command.
        deadline: a time of `time.monotonic`; `execution.max_minutes` from now if not given.

    Raises:
        ValueError: the store holds other photos or conventions, or there is no scheduler.
        RuntimeError: in a script that lacks `if __name__ == "__main__":`.
        Interrupted: Ctrl-C came; `results` has the cells that are done, as the store has.
    """
    refuse_in_worker()
    store = store if isinstance(store, Store) else Store(Path(store))
    execution = execution or Execution()
    if not isinstance(photos, PackedPhotos):
        photos = PackedPhotos.pack(open_photos(photos, cells[0].size or None))
    if deadline is None and execution.max_minutes is not None:
        deadline = time.monotonic() + 60 * execution.max_minutes
    store.claim(cells, photos, record or {})
    found = {config: store.load(config, photos) for config in cells}
    rows = {config: loaded for config, loaded in found.items() if loaded is not None}
    results = Results(list(cells), photos, rows)
    missing = (config for config in cells if config not in rows)
    jobs = in_turn(by_encoder(missing, photos.sizes), max(photos.sizes))
    if not jobs:
        return results
    backend = open_backend(execution, cells[0].device)
    jobs_done = execute(jobs, photos, backend, threads=execution.threads, deadline=deadline)
    with keeping(results, "cells", results.rows), progress_bar("cells", len(cells)) as advance:
        advance(len(rows))
        for outcome in jobs_done:
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
