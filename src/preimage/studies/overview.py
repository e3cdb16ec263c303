"""What random networks show of a photo: by layer (Figure 7) and by width (Section 4.2)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from preimage.config import ReconstructConfig
from preimage.images import Photo
from preimage.montecarlo import Summary, Trial, run_trials, summarise

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")
WIDTHS = (8, 64, 256)


@dataclass(frozen=True)
class Row:
    """A network in words, and the words of its config; the columns add a layer or a width."""

    label: str
    words: dict[str, Any]


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

    def summary(self, row: str, column: str, metric: str, absolute: bool = False) -> Summary:
        """Mean and standard deviation over the networks of one cell."""
        return summarise(self.cells[row, column], metric, absolute)


@dataclass(frozen=True)
class Overview:
    """Both grids, and the photos and the base config that they were computed from."""

    by_layer: Grid
    by_width: Grid
    photos: list[Photo]
    config: ReconstructConfig


def num_trials(networks: int) -> int:
    """How many trials `run` goes through."""
    return networks * (len(BY_LAYER) * len(LAYERS) + len(BY_WIDTH) * len(WIDTHS))


def run(
    photos: Sequence[Photo],
    config: ReconstructConfig,
    networks: int,
    on_trial: Callable[[], object] = lambda: None,
) -> Overview:
    """Reconstructs the photos by `networks` random networks for every row, layer and width.

    Args:
        photos: all of one size.
        config: weights, seed and device; the rows say the rest.
        networks: draws a cell, at least 1.
        on_trial: called after each trial, for a progress bar.

    Raises:
        ValueError: fewer than one network, no such law, or a photo is too small.
    """
    if networks < 1:
        raise ValueError(f"--networks must be at least 1, got {networks}.")

    def grid(rows: Sequence[Row], name: str, columns: Sequence[Any]) -> Grid:
        cells: dict[tuple[str, str], list[Trial]] = {
            (row.label, str(column)): [] for row in rows for column in columns
        }
        for column in columns:
            for number in range(networks):
                configs = {
                    row.label: replace(config, **row.words, **{name: column}, network_number=number)
                    for row in rows
                }
                for label, trial in _labelled(configs, photos):
                    cells[label, str(column)].append(trial)
                    on_trial()
        return Grid(tuple(row.label for row in rows), tuple(map(str, columns)), cells)

    return Overview(
        grid(BY_LAYER, "layer", LAYERS), grid(BY_WIDTH, "width", WIDTHS), list(photos), config
    )


def _labelled(
    configs: dict[str, ReconstructConfig], photos: Sequence[Photo]
) -> Iterator[tuple[str, Trial]]:
    label_of = {config: label for label, config in configs.items()}
    for trial in run_trials(configs.values(), photos):
        yield label_of[trial.config], trial
