"""What random networks show of a photo: by layer (Figure 7) and by width (Section 4.2)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import torch

from preimage.data.photo import Photo
from preimage.network.architectures import LAYERS
from preimage.network.spec import ReconstructConfig
from preimage.scores.metrics import grey_scores
from preimage.scores.statistics import Interval, difference, paired_difference
from preimage.sweeps.trials import Trial, run_trials, summarise
from preimage.theory import sampled_limit

#: Width → how many times as many networks as a layer has: narrow ones differ more, and cost less.
WIDTHS = {8: 4, 64: 4, 256: 1}


@dataclass(frozen=True)
class Row:
    """A network in words, and the words of its config; the columns add a layer or a width."""

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

    def summary(self, row: str, column: str, metric: str, absolute: bool = False) -> Interval:
        """The mean over the networks of one cell."""
        return summarise(self.cells[row, column], metric, absolute)

    def averages(self, row: str, column: str, metric: str = "pearson") -> list[float]:
        """The photo average of a score's absolute value, network by network."""
        return [trial.mean(metric, absolute=True) for trial in self.cells[row, column]]


@dataclass(frozen=True)
class InfiniteWidth:
    """A score's average over the photos at infinite width, and its standard error by sampling."""

    mean: float
    stderr: float


@dataclass(frozen=True)
class Overview:
    """Both grids, and the photos and the base config that they were computed from.

    `limits[row, metric]` is what the rows of `by_width` that end in a channel mean tend to.
    """

    by_layer: Grid
    by_width: Grid
    limits: dict[tuple[str, str], InfiniteWidth]
    photos: list[Photo]
    config: ReconstructConfig


def num_trials(networks: int) -> int:
    """How many trials and limits `run` goes through."""
    limits = len([row for row in BY_WIDTH if row.has_limit])
    return networks * (len(BY_LAYER) * len(LAYERS) + len(BY_WIDTH) * sum(WIDTHS.values())) + limits


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
        networks: draws a cell, at least 1; `WIDTHS` has more of the narrow ones.
        on_trial: called after each trial and limit, for a progress bar.

    Raises:
        ValueError: fewer than one network, no such law, or a photo is too small.
    """
    if networks < 1:
        raise ValueError(f"--networks must be at least 1, got {networks}.")

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
    limits: dict[tuple[str, str], InfiniteWidth] = {}
    for row in BY_WIDTH:
        if row.has_limit:
            for metric, value in infinite_width(replace(config, **row.words), photos).items():
                limits[row.label, metric] = value
            on_trial()
    return Overview(by_layer, by_width, limits, list(photos), config)


def infinite_width(
    config: ReconstructConfig, photos: Sequence[Photo], repeats: int = 4
) -> dict[str, InfiniteWidth]:
    """SSIM and Pearson's r of the infinite-width output (`preimage.theory.sampled_limit`).

    The max pools are sampled anew in each of the repeats, which gives the standard error. Eight
    times 256 draws of each window leave an error below 1e-3.
    """
    description = config.network().with_normalisation()
    images = torch.stack([photo.pixels for photo in photos])
    draws: dict[str, list[float]] = {"ssim": [], "pearson": []}
    for seed in range(repeats):
        f_star = sampled_limit(
            description, images, num_samples=256, num_repeats=2, seed=seed, dtype=torch.float32
        ).image
        scores = grey_scores(images, f_star.float())
        draws["ssim"].append(float(scores.ssim.mean()))
        draws["pearson"].append(float(scores.pearson.mean()))
    return {
        metric: InfiniteWidth(fmean(values), stdev(values) / sqrt(repeats))
        for metric, values in draws.items()
    }


def _labelled(
    configs: dict[str, ReconstructConfig], photos: Sequence[Photo]
) -> Iterator[tuple[str, Trial]]:
    label_of = {config: label for label, config in configs.items()}
    for trial in run_trials(configs.values(), photos):
        yield label_of[trial.config], trial


@dataclass(frozen=True)
class Statement:
    """What the paper says, what we measured, and whether they agree; None if that is undecided."""

    paper: str
    ours: str
    agrees: bool | None


#: How far apart, in |r|, two networks may be and still be called similar.
SIMILAR = 0.1


def statements(overview: Overview) -> list[Statement]:
    """The paper's statements on random CNN-DCNs beside what these networks measured.

    ± are 95 % intervals over networks: paired between layers, network 7 against network 7; Welch's
    between widths, whose networks have no weights in common. Nearest unpooling.
    """
    depth, width = overview.by_layer, overview.by_width
    whole, simple = "VGG16, nearest", "VGG16 simplified, nearest"
    mean, conv = "channel mean, nearest", "last convolution, nearest"
    shallow, deep = depth.columns[0], depth.columns[-1]
    narrow, wide = width.columns[0], width.columns[-1]

    decay = paired_difference(depth.averages(whole, deep), depth.averages(whole, shallow))
    by_depth = (
        [
            fmean(network)
            for network in zip(*(depth.averages(row, c) for c in depth.columns), strict=True)
        ]
        for row in (simple, whole)
    )
    gap = paired_difference(*by_depth)
    growth, growth_of_conv = (
        difference(width.averages(row, wide), width.averages(row, narrow)) for row in (mean, conv)
    )
    spread, spread_of_conv = (width.summary(row, wide, "ssim").std for row in (mean, conv))

    def course(grid: Grid, row: str) -> str:
        values = (grid.summary(row, c, "pearson", absolute=True).mean for c in grid.columns)
        return " → ".join(f"{value:.2f}" for value in values)

    return [
        Statement(
            "The deeper the layer, the coarser the picture (Section 4.1).",
            f"|r| from Conv1 to Conv5: {course(depth, whole)}; Conv5 less Conv1: {decay:+.2f}.",
            {-1: True, 0: None, 1: False}[decay.sign],
        ),
        Statement(
            "The image straight to block Conv k gives similar pictures: the layer's dimension "
            "matters much, depth little (Section 4.1).",
            f"|r| of the simplified network: {course(depth, simple)}. Less that of the whole "
            f"network, over the five layers: {gap:+.2f} (similar: within ± {SIMILAR}).",
            gap.within(SIMILAR),
        ),
        Statement(
            "More channels, better pictures (Section 4.2).",
            f"|r| of the channel mean at widths {', '.join(width.columns)}: {course(width, mean)}; "
            f"{wide} less {narrow}: {growth:+.2f}.",
            {1: True, 0: None, -1: False}[growth.sign],
        ),
        Statement(
            "Growth and convergence are far plainer with the channel mean than with a random last "
            "convolution (Section 4.2).",
            f"|r| grows by {growth:+.2f} with the mean, by {growth_of_conv:+.2f} with the "
            f"convolution; std of SSIM over networks at width {wide}: {spread:.3f} "
            f"and {spread_of_conv:.3f}.",
            {1: True, 0: None}.get(growth.sign - growth_of_conv.sign, False)
            if spread < spread_of_conv
            else False,
        ),
    ]
