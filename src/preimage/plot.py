"""Pictures and charts of what people have: galleries, a score by layer or by width, pairs.

Every function draws on a new matplotlib Figure, which a notebook shows and whose `axes` can be
styled, and returns it; the charts take `ax=` as well, and return that.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num
from torch import Tensor

from preimage.data.photos import Photos, load_photos
from preimage.data.pictures import picture_batch
from preimage.decoders.decoded import Decoded
from preimage.decoders.loss_curve import METRICS_FILE, read_metrics
from preimage.network.description import Description
from preimage.network.trace import trace
from preimage.notebook.figures import ShownFigure, draw_levels, tiled
from preimage.notebook.gallery import Gallery
from preimage.notebook.pictures import as_image
from preimage.notebook.view import Shown, Tile, draw_on
from preimage.probing.result import ProbeResult
from preimage.sweeps.levels import Levels
from preimage.sweeps.reconstruction import Reconstruction
from preimage.sweeps.results import Results

#: What shows pictures: photos in any form, results, or tensors and arrays of any range.
Pictured = Photos | Shown | Sequence[Any] | Num[Tensor, "..."] | np.ndarray


def gallery(
    pictures: Pictured, captions: Sequence[str] | None = None, columns: int | None = None
) -> ShownFigure:
    """Pictures on a grid.

        >>> from preimage import embedded_photos
        >>> figure = gallery(embedded_photos(40), columns=2)
        >>> [axes.get_title() for axes in figure.axes]
        ['astronaut', 'chelsea', 'coffee', 'rocket']

    Args:
        pictures: photos in any form that `preimage.load_photos` takes, results such as
            `reconstruct` gives, or tensors (N, C, H, W) and arrays of any range, each of which is
            stretched from black to white. The first 24 are drawn.
        captions: in place of their own.
        columns: four at most if not given.

    Raises:
        ValueError: there are none, or not as many captions.
        PhotoError: a photo can't be read.
    """
    tiles = _tiles(pictures)
    if captions is not None:
        if len(captions) != len(tiles):
            raise ValueError(
                f"`captions` must be {len(tiles)}, one per picture, got {len(captions)}."
            )
        pairs = zip(tiles, captions, strict=True)
        tiles = [Tile(tile.picture, caption, tile.columns) for tile, caption in pairs]
    return tiled(tiles, columns)


def side_by_side(*rows: Pictured, labels: Sequence[str] | None = None) -> ShownFigure:
    """Row below row, so that the same photo stands in one column: photos, then what came back.

        >>> from preimage import embedded_photos, reconstruct
        >>> photos = embedded_photos(40)[:2]
        >>> back = reconstruct(photos, layer="conv1", width=4, head="mean")
        >>> len(side_by_side(photos, back, labels=["photo", "random network"]).axes)
        4

    Args:
        rows: each as in `gallery`.
        labels: one per row.

    Raises:
        ValueError: no row, rows of different lengths, or not as many labels.
    """
    found = [_single_pictures(row) for row in rows]
    lengths = sorted({len(row) for row in found})
    if len(lengths) != 1:
        raise ValueError(f"the rows must be equally long, got {lengths or 'none'}.")
    if labels is not None and len(labels) != len(rows):
        raise ValueError(f"`labels` must be {len(rows)}, one per row, got {len(labels)}.")
    tiles = [tile for row in found for tile in row]
    figure = tiled(tiles, columns=lengths[0], most=len(tiles))
    for row, label in enumerate(labels or []):
        figure.axes[row * lengths[0]].set_ylabel(label, fontsize=9)
    return figure


def by_width(
    results: Results | Levels, metric: str = "ssim", *, absolute: bool = False, ax: Any = None
) -> Any:
    """A score of a sweep over the width: means over networks with 95 % intervals.

    Args:
        results: of `preimage.sweeps.run.run_sweep`; or their `levels("width")`.
        metric: ssim, pearson, mse or psnr.
        absolute: draw its absolute value.

    Raises:
        ValueError: no such score, or no cell is done.
    """
    return _levels(results, "width", metric, absolute, ax)


def by_layer(
    results: Results | ProbeResult | Levels,
    metric: str = "ssim",
    *,
    absolute: bool = False,
    ax: Any = None,
) -> Any:
    """A score by layer: of a sweep with 95 % intervals over networks; of a probe its own chart.

    The arguments are those of `by_width`; a probe's score is the PSNR.
    """
    if isinstance(results, ProbeResult):
        return results.plot(ax)
    return _levels(results, "layer", metric, absolute, ax)


def by_option(
    results: Results, option: str, metric: str = "ssim", *, absolute: bool = False, ax: Any = None
) -> Any:
    """A score of a sweep over any option, such as `kernel_size`; as `by_width`."""
    return _levels(results, option, metric, absolute, ax)


def loss_curve(*folders: str | Path, ax: Any = None) -> Any:
    """The losses of trainings, a line per folder of `train_decoder` or `pretrain_encoder`.

    Raises:
        ValueError: a folder has no loss curve, or a damaged one.
    """
    curves: dict[str, list[dict[str, Any]]] = {}
    for folder in folders:
        lines = read_metrics(Path(folder) / METRICS_FILE)
        if not lines:
            raise ValueError(f"{folder}: no training has written its losses there.")
        curves[str(folder)] = lines

    def draw(ax: Any) -> None:
        for name, lines in curves.items():
            steps, losses = ([line[key] for line in lines] for key in ("step", "loss"))
            ax.plot(steps, losses, linewidth=1, label=name)
        ax.set(xlabel="step", ylabel="loss per photo", yscale="log")
        ax.legend(loc="best", frameon=False)

    return draw_on(ax, draw)


def architecture(
    description: Description, size: tuple[int, int] = (227, 227), *, ax: Any = None
) -> Any:
    """A network as a row of bars, one per operation: as high as its maps, its channels above it.

    Args:
        size: (height, width) of the input.

    Raises:
        ValueError: the input is too small.
    """
    steps = trace(description, *size)
    names = [step.operation.name for step in steps]
    colours = ["#0072B2" if step.parameters else "#999999" for step in steps]

    def draw(ax: Any) -> None:
        bars = ax.bar(range(len(steps)), [step.height for step in steps], color=colours)
        ax.bar_label(bars, [str(step.channels) for step in steps], fontsize=7)
        ax.set_xticks(range(len(steps)), names, rotation=90, fontsize=7)
        ax.set(ylabel="height of the maps", title=description.name)
        ax.spines[["top", "right"]].set_visible(False)

    return draw_on(ax, draw)


def _levels(results: Results | Levels, option: str, metric: str, absolute: bool, ax: Any) -> Any:
    found = results.levels(option, metric, absolute) if isinstance(results, Results) else results
    if not found:
        raise ValueError("`results` have no finished cell; there is nothing to draw.")
    if option == "layer":
        found = {label: dict(sorted(line.items(), key=_depth)) for label, line in found.items()}
    numbers = all(isinstance(x, int | float) and x > 0 for line in found.values() for x in line)

    def draw(ax: Any) -> None:
        lines: Mapping[str, Any] = {
            label: {x: (one.mean, one.half_width) for x, one in line.items()}
            for label, line in found.items()
        }
        draw_levels(ax, lines, logarithmic=numbers)
        name = {"ssim": "SSIM", "pearson": "Pearson's r", "mse": "MSE", "psnr": "PSNR (dB)"}[metric]
        shown = f"|{name}|" if absolute else name
        ax.set(xlabel=option.replace("_", " "), ylabel=f"{shown}, mean over networks ± 95 %")

    return draw_on(ax, draw)


def _depth(item: tuple[Any, Any]) -> tuple[int, str]:
    """conv2 before conv10."""
    digits = "".join(c for c in str(item[0]) if c.isdigit())
    return int(digits or 0), str(item[0])


def _tiles(pictures: Any) -> list[Tile]:
    if isinstance(pictures, Tile):
        return [pictures]
    if isinstance(pictures, Shown):
        tiles = list(pictures._tiles())
    elif isinstance(pictures, Tensor | np.ndarray):
        tiles = [Tile(as_image(picture)) for picture in picture_batch(pictures)]
    elif isinstance(pictures, Sequence) and not isinstance(pictures, str):
        tiles = [tile for picture in pictures for tile in _tiles(picture)[:1]]
    else:
        tiles = [tile for photo in load_photos(pictures) for tile in photo._tiles()]
    if not tiles:
        raise ValueError("`pictures`: there are none to show.")
    return tiles


def _single_pictures(row: Any) -> list[Tile]:
    """A row's pictures, of results the one that came back alone."""
    if isinstance(row, Gallery) or (
        isinstance(row, Sequence) and any(isinstance(one, Reconstruction | Decoded) for one in row)
    ):
        return [_tiles(one)[0] for one in row]
    return _tiles(row)
