"""What the figures made by a sweep share: their photos, the run, its cost, and what is missing."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, replace

from preimage.data.cost import Cost, Sum
from preimage.data.photo import SIZE, Photo
from preimage.data.photos import open_photos
from preimage.data.records import output_folder
from preimage.network.device import resolve_device
from preimage.paper.curves import Curve
from preimage.paper.finding import Finding, Incomplete
from preimage.paper.options import FigureOptions
from preimage.sweeps.backends import num_workers
from preimage.sweeps.costs import estimate
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.run import Results, run_sweep
from preimage.sweeps.store import Store
from preimage.sweeps.table import write_table

#: The paper takes 50 photos.
PHOTOS = {"quick": 4, "paper": 50}


def figure_photos(options: FigureOptions) -> list[Photo]:
    """The first photos of the data, as many as the scale asks for, or as there are."""
    photos = open_photos(options.data or None, SIZE)
    return list(itertools.islice(photos, PHOTOS[options.scale]))


def run_grid(
    options: FigureOptions, folder: str, grid: SweepConfig, photos: Sequence[Photo]
) -> Results:
    """The results of a figure's grid; what `<out>/<folder>` has is not computed again.

    Raises:
        ValueError: the folder holds other photos; or no such device.
    """
    resolve_device(options.device)
    store = Store(output_folder(options.out) / folder)
    record = {"options": asdict(options)}
    results = run_sweep(grid.cells(), PackedPhotos.pack(photos), store, options.execution, record)
    write_table(results, store.folder)
    return results


def grid_cost(options: FigureOptions, folder: str, grid: SweepConfig) -> Cost:
    """What `run_grid` would compute, and how long that takes."""
    resolve_device(options.device)
    store = Store(output_folder(options.out) / folder)
    photos = PackedPhotos.pack(figure_photos(options))
    workers = num_workers(options.execution, options.device)
    cost = estimate(grid.cells(), photos, store, workers, options.execution.threads)
    return Sum([cost], f"{options.figure}:")


def finish(
    options: FigureOptions, folder: str, results: Results, findings: list[Finding]
) -> list[Finding]:
    """The findings, with what all cells that are there took one core to compute.

    Raises:
        Incomplete: with the same, where cells are missing.
    """
    store = Store(output_folder(options.out) / folder)
    seconds = sum(store.core_seconds(config, results.photos) for config in results.cells)
    timed = [replace(finding, seconds=seconds) for finding in findings]
    if results.missing:
        raise Incomplete(timed, results.shortfall())
    return timed


def require(results: Results, curves: Sequence[Curve]) -> None:
    """Refuses to draw curves of fewer than two points.

    Raises:
        Incomplete: naming what is missing.
    """
    if any(len(curve.values) < 2 for curve in curves):
        raise Incomplete([], results.shortfall())
