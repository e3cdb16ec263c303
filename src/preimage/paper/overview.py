"""The demo: what random networks show of a photo, by layer and by width (Sections 4.1, 4.2).

`overview_jobs` computes it, `overview_claims` says what follows, `overview_draw` draws it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import torch

from preimage.data.photo import Photo
from preimage.network.architectures import LAYERS
from preimage.network.spec import ReconstructConfig
from preimage.paper.limit_sheet import require_limit
from preimage.paper.overview_jobs import Computed, Records, compute
from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.backends import num_workers
from preimage.sweeps.costs import Cost, estimate
from preimage.sweeps.enough_memory import require_pairs
from preimage.sweeps.grid import Execution
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.reconstruction import Picture

#: The widths, from the narrowest to the widest.
WIDTHS = (8, 64, 256)
#: Where a verdict rests on networks, there are so many times as many.
DECIDED = 10


@dataclass(frozen=True)
class Row:
    """A network's name and the options of its config; the columns add a layer or a width.

    Args:
        decides: the columns in which a verdict rests on it.
    """

    label: str
    words: dict[str, Any]
    decides: tuple[Any, ...] = ()

    @property
    def has_limit(self) -> bool:
        """Whether its output tends to an image; with a random last convolution it does not."""
        return self.words.get("head") == "mean"

    def times(self, column: Any) -> int:
        """How many times as many networks as elsewhere."""
        return DECIDED if column in self.decides else 1


BY_LAYER = (
    Row("VGG16, zeros", {"unpool": "zeros"}),
    Row("VGG16, nearest", {"unpool": "nearest"}, LAYERS),
    Row("VGG16 simplified, zeros", {"unpool": "zeros", "simplified": "resized"}),
    Row("VGG16 simplified, nearest", {"unpool": "nearest", "simplified": "resized"}, LAYERS),
    Row("AlexNet, zeros", {"unpool": "zeros", "architecture": "alexnet"}),
    Row("AlexNet, nearest", {"unpool": "nearest", "architecture": "alexnet"}),
)
_CONV1 = {"layer": "conv1", "pooled": True}
#: The widths that verdicts compare; networks of the widest cost sixteen times those of the second.
COMPARED = WIDTHS[:2]
BY_WIDTH = (
    Row("last convolution, zeros", {**_CONV1, "unpool": "zeros"}),
    Row("last convolution, nearest", {**_CONV1, "unpool": "nearest"}, COMPARED),
    Row("channel mean, zeros", {**_CONV1, "unpool": "zeros", "head": "mean"}),
    Row("channel mean, nearest", {**_CONV1, "unpool": "nearest", "head": "mean"}, COMPARED),
)


@dataclass(frozen=True)
class Scored:
    """One random network (`config.network_number`) and its scores, a record per photo."""

    config: ReconstructConfig
    records: Records

    def mean(self, metric: str, absolute: bool = False) -> float:
        """The average of a score over the photos, or of its absolute value."""
        values = (record[metric] for record in self.records)
        return fmean(abs(value) if absolute else value for value in values)


@dataclass(frozen=True)
class Grid:
    """Networks in rows (kinds) and columns (layers or widths): `cells[row, column]`.

    `pictures[row, column]` are what the first network of a cell made of each photo.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], list[Scored]]
    pictures: dict[tuple[str, str], list[Picture]]

    def num_networks(self, row: str, column: str) -> int:
        """The number of random networks in a cell."""
        return len(self.cells[row, column])

    def interval(self, row: str, column: str, metric: str, absolute: bool = False) -> Interval:
        """The mean over the networks of one cell, of a score's average over the photos."""
        return mean_interval([t.mean(metric, absolute) for t in self.cells[row, column]])

    def averages(self, row: str, column: str, metric: str = "pearson") -> list[float]:
        """The photo average of a score's absolute value, network by network."""
        return [network.mean(metric, absolute=True) for network in self.cells[row, column]]


@dataclass(frozen=True)
class Overview:
    """Both grids, and the photos and the base config that they were computed from.

    `limits[row, metric]` is what the rows of `by_width` that end in a channel mean tend to.
    """

    by_layer: Grid
    by_width: Grid
    limits: dict[tuple[str, str], Interval]
    photos: list[Photo]
    config: ReconstructConfig

    @property
    def counts(self) -> str:
        """Networks per cell, as `5 to 30`."""
        cells = (*self.by_layer.cells.values(), *self.by_width.cells.values())
        fewest, most = (chosen(map(len, cells)) for chosen in (min, max))
        return str(most) if fewest == most else f"{fewest} to {most}"


#: Of each grid: the field of the config that its columns are values of, its rows, its columns.
Grids = tuple[tuple[str, tuple[Row, ...], tuple[Any, ...]], ...]
GRIDS: Grids = (
    ("layer", BY_LAYER, LAYERS),
    ("width", BY_WIDTH, WIDTHS),
)


def num_trials(networks: int) -> int:
    """How many networks and limits `run` goes through."""
    cells = [row.times(c) for _, rows, columns in GRIDS for row in rows for c in columns]
    return networks * sum(cells) + len([row for row in BY_WIDTH if row.has_limit])


def require_memory(config: ReconstructConfig) -> None:
    """Refuses photos of the config's `size` that do not fit in memory, before one is read.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
        ValueError: there is no such device.
    """
    require_pairs(
        (
            replace(config, **row.words, **{name: column})
            for name, rows, columns in GRIDS
            for row in rows
            for column in columns
        ),
        "give a smaller `size`",
    )
    for row in BY_WIDTH:
        if row.has_limit:
            network = replace(config, **row.words).network()
            require_limit(network, (config.size, config.size), torch.float32)


def cost(photos: Sequence[Photo], config: ReconstructConfig, networks: int) -> Cost:
    """What the networks of `run` take."""
    execution = Execution()
    workers = num_workers(execution, config.device)
    packed = PackedPhotos.pack(photos)
    return estimate(list(_places(config, networks)), packed, None, workers, execution.threads)


def run(
    photos: Sequence[Photo],
    config: ReconstructConfig,
    networks: int,
    on_trial: Callable[[], object] = lambda: None,
    execution: Execution | None = None,
) -> Overview:
    """Reconstructs the photos by `networks` random networks for every row, layer and width.

    Args:
        photos: all of one size.
        config: weights, seed and device; the rows give the rest.
        networks: draws per cell, at least 1; `DECIDED` times as many where a verdict rests on them.
        on_trial: called after each network and limit, for a progress bar.
        execution: the processes that compute networks and limits.

    Raises:
        ValueError: fewer than one network, no such law, or a photo is too small.
        RuntimeError: a network could not be computed.
    """
    if networks < 1:
        raise ValueError(f"`networks` must be at least 1, got {networks}.")
    places = _places(config, networks)
    grids = {
        name: Grid(tuple(row.label for row in rows), tuple(map(str, columns)), {}, {})
        for name, rows, columns in GRIDS
    }
    ends = {replace(config, **row.words): row.label for row in BY_WIDTH if row.has_limit}
    records: dict[ReconstructConfig, Records] = {}
    limits: dict[tuple[str, str], Interval] = {}
    computed = compute(list(places), list(ends), photos, execution or Execution())
    for of, found in computed:
        if isinstance(found, Computed):
            records[of] = found.records
            if found.pictures:
                grid, label, column = places[of]
                grids[grid].pictures[label, column] = found.pictures
        else:
            limits |= {(ends[of], metric): value for metric, value in found.items()}
        on_trial()
    for of, (grid, label, column) in places.items():
        grids[grid].cells.setdefault((label, column), []).append(Scored(of, records[of]))
    return Overview(grids["layer"], grids["width"], limits, list(photos), config)


def _places(config: ReconstructConfig, networks: int) -> dict[ReconstructConfig, tuple[str, ...]]:
    """Every network of the overview: its grid, its row and its column."""
    return {
        replace(config, **row.words, **{name: column}, network_number=number): (
            name,
            row.label,
            str(column),
        )
        for name, rows, columns in GRIDS
        for row in rows
        for column in columns
        for number in range(networks * row.times(column))
    }
