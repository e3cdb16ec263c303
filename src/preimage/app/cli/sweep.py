"""`preimage sweep`: a grid of random networks on photos, resumable, here or on a cluster."""

import itertools
import sys
from pathlib import Path

from preimage.app.cli.commands import SweepCommand
from preimage.app.cli.estimate import announce
from preimage.app.cli.options import flat
from preimage.data.each_photo import Problems
from preimage.data.photo import Photo
from preimage.data.photos import open_photos
from preimage.data.records import output_folder
from preimage.data.tables import text_table
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.backends import num_workers
from preimage.sweeps.costs import Cost, estimate
from preimage.sweeps.enough_memory import require_pairs
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.run import Results, run_sweep
from preimage.sweeps.store import Store
from preimage.sweeps.table import require_parquet, summaries, write_table


def run(config: SweepCommand) -> int:
    """Computes what is missing and writes the table; 1 while cells are missing."""
    store = Store(output_folder(config.out))
    if config.action == "status":
        return _status(store)
    cells = config.grid.cells()
    require_pairs(cells)
    if config.parquet:
        require_parquet()
    problems = Problems(config.strict)
    if not (read := _photos(config, problems)):
        return 2
    photos = PackedPhotos.pack(read)
    if config.dry_run:
        print(_cost(config, cells, photos, store))
        return 0
    if not config.execution.scheduler:  # the speed of its workers is not this machine's
        announce(lambda: _cost(config, cells, photos, store))
    record = {"command": flat(config), "skipped": problems.lines}
    results = run_sweep(cells, photos, store, config.execution, record)
    files = write_table(results, store.folder, config.parquet)
    _print(results, files)
    if results.missing:
        print(f"preimage: {results.shortfall()}", file=sys.stderr)
        return 1
    return 0


def _cost(
    config: SweepCommand,
    cells: list[ReconstructConfig],
    photos: PackedPhotos,
    store: Store,
) -> Cost:
    execution = config.execution
    workers = num_workers(execution, config.grid.device)
    return estimate(cells, photos, store, workers, execution.threads)


def _photos(config: SweepCommand, problems: Problems) -> list[Photo]:
    photos = open_photos(config.data or None, config.grid.size or None, problems)
    return list(itertools.islice(photos, config.photos))


def _status(store: Store) -> int:
    status = store.status()
    print(status)
    for problem in status.failed.values():
        print(f"failed: {problem}")
    return 0 if status.complete else 1


def _print(results: Results, files: list[Path]) -> None:
    ssim, pearson = (summaries(results, metric) for metric in ("ssim", "pearson"))
    size = summaries(results, "pearson", absolute=True)
    rows = [
        (name, *(score[name].spread() for score in (ssim, pearson, size)), str(ssim[name].n))
        for name in ssim
    ]
    if rows:
        print(text_table(("mean ± std over networks", "SSIM", "r", "|r|", "n"), rows))
        print(f"\n{len(results.photos)} photos; one row per photo and network: {files[-1]}")
