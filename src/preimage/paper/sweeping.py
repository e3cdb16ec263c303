"""What the figures made by a sweep have in common: photos, the run, tables, what is missing."""

import csv
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from statistics import stdev
from typing import Any

from preimage.app.cli.commands import ReproduceCommand
from preimage.app.cli.lines import command_line
from preimage.data.photo import SIZE, Photo, open_photos
from preimage.data.records import output_folder, write_atomically
from preimage.network.device import resolve_device
from preimage.network.operations import UnpoolKind
from preimage.paper.curves import Curve
from preimage.paper.finding import Finding, Incomplete
from preimage.sweeps.backends import num_workers
from preimage.sweeps.costs import estimate
from preimage.sweeps.grid import Execution, SweepConfig
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.run import Results, run_sweep
from preimage.sweeps.store import Store
from preimage.sweeps.table import write_table

#: The paper's unpooling, and the one that leaves no checkerboard: side by side in every figure.
UNPOOLS: tuple[UnpoolKind, ...] = ("zeros", "nearest")
#: The paper takes 50 photos.
PHOTOS = {"quick": 4, "paper": 50}


def figure_photos(config: ReproduceCommand) -> list[Photo]:
    """The first photos of the data, as many as the scale asks for, or as there are."""
    photos = open_photos(config.data or None, SIZE)
    return list(itertools.islice(photos, PHOTOS[config.scale]))


def num_networks(config: ReproduceCommand, preset: Mapping[str, int]) -> int:
    """Networks a point: as asked for, else the scale's.

    Raises:
        ValueError: fewer than two, which have no deviation.
    """
    networks = preset[config.scale] if config.networks is None else config.networks
    if networks < 2:
        raise ValueError(f"--networks must be at least 2 to have a deviation, got {networks}.")
    return networks


def run_figure(
    config: ReproduceCommand, folder: str, grids: Sequence[SweepConfig], photos: Sequence[Photo]
) -> Results | None:
    """The results of a figure's grids, from `<out>/<folder>`; None on --dry-run, which prints.

    Raises:
        ValueError: the folder holds other photos; or no such device.
    """
    resolve_device(config.device)
    store = Store(output_folder(config.out) / folder)
    cells = [cell for grid in grids for cell in grid.cells()]
    packed = PackedPhotos.pack(photos)
    if config.dry_run:
        workers = num_workers(config, config.device)
        print(f"{config.figure}:\n{estimate(cells, packed, store, workers, config.threads)}")
        return None
    results = run_sweep(cells, packed, store, config, {"command": asdict(config)})
    write_table(results, store.folder)
    return results


def finish(results: Results, findings: list[Finding]) -> list[Finding]:
    """The findings, if every cell is there.

    Raises:
        Incomplete: with the findings of those that are.
    """
    if results.missing:
        raise Incomplete(findings, results.shortfall())
    return findings


def require(results: Results, curves: Sequence[Curve]) -> None:
    """Refuses to draw curves of fewer than two points.

    Raises:
        Incomplete: naming what is missing.
    """
    if any(len(curve.values) < 2 for curve in curves):
        raise Incomplete([], results.shortfall())


def write_curves(path: Path, x: str, curves: Mapping[str, Curve], photos: int) -> str:
    """The table behind a chart: a row a curve and point. Returns the file's name."""
    rows = [
        {
            "curve": name,
            x: point,
            "mean": curve.summary(point).mean,
            "std": stdev(curve.values[point].values()),
            "networks": curve.summary(point).n,
            "photos": photos,
        }
        for name, curve in curves.items()
        for point in curve.values
    ]
    return write_rows(path, rows)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """A CSV file with a heading. Returns its name."""

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    return write_atomically(path, write).name


def command(config: ReproduceCommand) -> str:
    """The command that makes the figure again."""
    without = [field.name for field in fields(Execution)]
    return command_line("reproduce", config, "figure", without)


def counts(curve: Curve, photos: int) -> str:
    """Such as `30 networks × 50 photos a point`, with the range where the points differ."""
    low, high = min(curve.num_networks), max(curve.num_networks)
    networks = str(low) if low == high else f"{low} to {high}"
    return f"{networks} networks × {photos} photos a point"
