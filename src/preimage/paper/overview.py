"""The demo: what random networks show of a photo, by layer and by width (Sections 4.1, 4.2).

`overview_claims` says what follows from it, `overview_draw` draws it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from preimage.data.photo import Photo
from preimage.network.architectures import LAYERS
from preimage.network.spec import ReconstructConfig
from preimage.paper.infinite_width import infinite_width
from preimage.paper.limit_sheet import require_limit
from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.enough_memory import require_pairs
from preimage.sweeps.trials import Trial, run_trials

#: Width → how many times as many networks as a layer has: narrow ones differ more, and cost less.
WIDTHS = {8: 4, 64: 4, 256: 1}


@dataclass(frozen=True)
class Row:
    """A network's name and the options of its config; the columns add a layer or a width."""

    label: str
    words: dict[str, Any]

    @property
    def has_limit(self) -> bool:
        """Whether its output tends to an image; with a random last convolution it does not."""
        return self.words.get("head") == "mean"


BY_LAYER = (
    Row("VGG16, zeros", {"unpool": "zeros"}),
    Row("VGG16, nearest", {"unpool": "nearest"}),
    Row("VGG16 simplified, zeros", {"unpool": "zeros", "simplified": "resized"}),
    Row("VGG16 simplified, nearest", {"unpool": "nearest", "simplified": "resized"}),
    Row("AlexNet, zeros", {"unpool": "zeros", "architecture": "alexnet"}),
    Row("AlexNet, nearest", {"unpool": "nearest", "architecture": "alexnet"}),
)
_CONV1 = {"layer": "conv1", "pooled": True}
BY_WIDTH = (
    Row("last convolution, zeros", {**_CONV1, "unpool": "zeros"}),
    Row("last convolution, nearest", {**_CONV1, "unpool": "nearest"}),
    Row("channel mean, zeros", {**_CONV1, "unpool": "zeros", "head": "mean"}),
    Row("channel mean, nearest", {**_CONV1, "unpool": "nearest", "head": "mean"}),
)


@dataclass(frozen=True)
class Grid:
    """Trials in rows (networks) and columns (layers or widths): `cells[row, column]`."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], list[Trial]]

    def num_networks(self, column: str) -> int:
        """The number of random networks in each cell of a column."""
        return len(self.cells[self.rows[0], column])

    def interval(self, row: str, column: str, metric: str, absolute: bool = False) -> Interval:
        """The mean over the networks of one cell, of a score's average over the photos."""
        return mean_interval([t.mean(metric, absolute) for t in self.cells[row, column]])

    def averages(self, row: str, column: str, metric: str = "pearson") -> list[float]:
        """The photo average of a score's absolute value, network by network."""
        return [trial.mean(metric, absolute=True) for trial in self.cells[row, column]]


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


def num_trials(networks: int) -> int:
    """How many trials and limits `run` goes through."""
    limits = len([row for row in BY_WIDTH if row.has_limit])
    return networks * (len(BY_LAYER) * len(LAYERS) + len(BY_WIDTH) * sum(WIDTHS.values())) + limits


def require_memory(config: ReconstructConfig) -> None:
    """Refuses photos of the config's `size` that do not fit in memory, before one is read.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
        ValueError: there is no such device.
    """
    words: list[dict[str, Any]] = [
        *({**row.words, "layer": layer} for row in BY_LAYER for layer in LAYERS),
        *({**row.words, "width": width} for row in BY_WIDTH for width in WIDTHS),
    ]
    require_pairs((replace(config, **changed) for changed in words), "give a smaller `size`")
    for row in BY_WIDTH:
        if row.has_limit:
            network = replace(config, **row.words).network()
            require_limit(network, (config.size, config.size), torch.float32)


def run(
    photos: Sequence[Photo],
    config: ReconstructConfig,
    networks: int,
    on_trial: Callable[[], object] = lambda: None,
) -> Overview:
    """Reconstructs the photos by `networks` random networks for every row, layer and width.

    Args:
        photos: all of one size.
        config: weights, seed and device; the rows give the rest.
        networks: draws per cell, at least 1; `WIDTHS` has more of the narrow ones.
        on_trial: called after each trial and limit, for a progress bar.

    Raises:
        ValueError: fewer than one network, no such law, or a photo is too small.
    """
    if networks < 1:
        raise ValueError(f"`networks` must be at least 1, got {networks}.")

    def grid(rows: Sequence[Row], name: str, columns: Mapping[Any, int]) -> Grid:
        cells: dict[tuple[str, str], list[Trial]] = {
            (row.label, str(column)): [] for row in rows for column in columns
        }
        for column, times in columns.items():
            for number in range(times * networks):
                configs = {
                    row.label: replace(config, **row.words, **{name: column}, network_number=number)
                    for row in rows
                }
                for label, trial in _labelled(configs, photos):
                    cells[label, str(column)].append(trial)
                    on_trial()
        return Grid(tuple(row.label for row in rows), tuple(map(str, columns)), cells)

    by_layer, by_width = (
        grid(BY_LAYER, "layer", dict.fromkeys(LAYERS, 1)),
        grid(BY_WIDTH, "width", WIDTHS),
    )
    limits: dict[tuple[str, str], Interval] = {}
    for row in BY_WIDTH:
        if row.has_limit:
            for metric, value in infinite_width(replace(config, **row.words), photos).items():
                limits[row.label, metric] = value
            on_trial()
    return Overview(by_layer, by_width, limits, list(photos), config)


def _labelled(
    configs: dict[str, ReconstructConfig], photos: Sequence[Photo]
) -> Iterator[tuple[str, Trial]]:
    label_of = {config: label for label, config in configs.items()}
    for trial in run_trials(configs.values(), photos):
        yield label_of[trial.config], trial
