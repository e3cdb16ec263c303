"""Results in, matplotlib `Figure` out. Nothing here computes; nothing here opens a window."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from torch import Tensor

from preimage.data.photo import Photo, clipped_image, to_image
from preimage.data.records import write_atomically
from preimage.paper.overview import Grid, Overview
from preimage.scores.metrics import colour_scores, grey, stretch
from preimage.sweeps.reconstruction import Reconstruction
from preimage.sweeps.trials import Trial

#: One colour a network family, in order of appearance; legible to the colour-blind (Okabe-Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


_HIGHLIGHTS = 5  # photos
_SHEET_COLUMNS = 6  # the photo and five layers


def save_figure(figure: Figure, path: Path, dpi: int = 150) -> Path:
    """Writes a figure atomically, without dates, so that equal figures are equal files."""
    kind = path.suffix.lstrip(".")

    def write(temporary: Path) -> None:
        with warnings.catch_warnings():
            # Photos may have names in scripts that the font lacks; boxes stand for them.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(
                temporary, format=kind, dpi=dpi, bbox_inches="tight", metadata={"Software": None}
            )

    return write_atomically(path, write)


def caption(result: Reconstruction) -> str:
    """SSIM and Pearson's r of one picture, and whether its luminosity was inverted."""
    inverted = ", inverted" if result.inverted else ""
    return f"SSIM {result.ssim:.2f}, r {_signed(result.pearson)}{inverted}"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def reconstruction_sheet(results: Sequence[Reconstruction], title: str) -> Figure:
    """A row a photo: the photo, its grey, the scored grey output, the colour output."""
    figure = Figure(figsize=(9.2, 2.45 * len(results) + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(len(results), 4, squeeze=False)
    for row, result in zip(axes, results, strict=True):
        _picture(row[0], result.photo, result.photo.name)
        row[1].imshow(stretch(grey(result.photo.pixels[None]))[0].numpy(), cmap="gray")
        row[1].set_title("grey", fontsize=8)
        row[2].imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
        row[2].set_title(caption(result), fontsize=8)
        row[3].imshow(to_image(result.colour), cmap="gray")
        row[3].set_title("colour output, stretched", fontsize=8)
    return without_ticks(figure)


def decoded_sheet(pairs: Sequence[tuple[Photo, Float[Tensor, "3 H W"]]], title: str) -> Figure:
    """A row a photo: the photo, and what a decoder made of its features, clipped to [0, 255]."""
    figure = Figure(figsize=(5.4, 2.6 * len(pairs) + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(len(pairs), 2, squeeze=False)
    for row, (photo, output) in zip(axes, pairs, strict=True):
        scores = colour_scores(photo.pixels[None], output[None])
        _picture(row[0], photo, photo.name)
        row[1].imshow(clipped_image(output))
        row[1].set_title(f"PSNR {float(scores.psnr):.1f} dB, SSIM {float(scores.ssim):.2f}", size=8)
    return without_ticks(figure)


def highlights(overview: Overview) -> Figure:
    """The photos, and below them what three random networks, nearest unpooling, made of them."""
    widest = overview.by_width.columns[-1]
    rows = (
        (overview.by_width, "channel mean, nearest", widest, f"Conv1, width {widest}, mean head"),
        (overview.by_layer, "VGG16, nearest", "conv2", "VGG16 Conv2"),
        (overview.by_layer, "VGG16, nearest", "conv3", "VGG16 Conv3"),
    )
    photos = overview.photos[:_HIGHLIGHTS]
    figure = Figure(figsize=(1.9 * len(photos) + 0.4, 8.1), layout="constrained")
    axes = figure.subplots(1 + len(rows), len(photos), squeeze=False)
    for index, photo in enumerate(photos):
        _picture(axes[0, index], photo, photo.name)
        for line, (grid, row, column, label) in zip(axes[1:], rows, strict=True):
            result = _first(grid, row, column).reconstructions[index]
            line[index].imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
            line[index].set_title(caption(result), fontsize=7.5)
            if index == 0:
                line[index].set_ylabel(label, fontsize=8.5)
    axes[0, 0].set_ylabel("photo", fontsize=8.5)
    return without_ticks(figure)


def photo_sheet(overview: Overview, index: int) -> Figure:
    """What the first network of every cell made of one photo: by layer, then by width."""
    photo = overview.photos[index]
    figure = Figure(figsize=(11, 18.6), layout="constrained")
    rows = figure.add_gridspec(2, 1, height_ratios=(6, 4))
    upper, lower = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
    _pictures(upper, overview.by_layer, index, photo, "Layer")
    _pictures(lower, overview.by_width, index, photo, "Conv1-DeConv1, width")
    return without_ticks(figure)


def _pictures(figure: FigureBase, grid: Grid, index: int, photo: Photo, column_name: str) -> None:
    figure.suptitle(f"{column_name} by column; nothing is trained", fontsize=10)
    axes = figure.subplots(len(grid.rows), _SHEET_COLUMNS, squeeze=False)
    for row, line in zip(grid.rows, axes, strict=True):
        _picture(line[0], photo, photo.name)
        line[0].set_ylabel(row, fontsize=9)
        for axis in line[len(grid.columns) + 1 :]:
            axis.set_visible(False)
        for column, axis in zip(grid.columns, line[1:], strict=False):
            result = _first(grid, row, column).reconstructions[index]
            axis.imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_title(f"{column.capitalize()}: {caption(result)}", fontsize=6.5)


def _first(grid: Grid, row: str, column: str) -> Trial:
    return grid.cells[row, column][0]


def overview_chart(overview: Overview) -> Figure:
    """SSIM and |Pearson| by layer and by width: mean ± std over networks of photo averages."""
    figure = Figure(figsize=(10.5, 7.2), layout="constrained")
    axes = figure.subplots(2, 2, sharey="col")
    grids = ((overview.by_layer, "Layer"), (overview.by_width, "Width of Conv1-DeConv1 (channels)"))
    for line, (grid, axis_name) in zip(axes, grids, strict=True):
        for axis, metric, label in (
            (line[0], "ssim", "SSIM of the grey picture"),
            (line[1], "pearson", "|Pearson's r|"),
        ):
            _curves(axis, grid, metric)
            if grid is overview.by_width:
                _limits(axis, overview, metric)
            axis.set_xlabel(axis_name)
            axis.set_ylabel(label)
        line[0].legend(fontsize=7.5, frameon=False)
    depth, width = overview.by_layer, overview.by_width
    counts = ", ".join(f"{width.num_networks(column)}" for column in width.columns)
    figure.suptitle(
        f"Random CNN, random DCN, {overview.config.weights}: averages over "
        f"{len(overview.photos)} photos; mean ± std over {depth.num_networks(depth.columns[0])} "
        f"networks a layer, {counts} a width",
        fontsize=10,
    )
    return figure


def _curves(axis: Axes, grid: Grid, metric: str) -> None:
    for number, row in enumerate(grid.rows):
        summaries = [grid.summary(row, column, metric, absolute=True) for column in grid.columns]
        axis.errorbar(
            [x + 0.05 * (number - (len(grid.rows) - 1) / 2) for x in range(len(grid.columns))],
            [summary.mean for summary in summaries],
            yerr=[summary.std for summary in summaries],
            label=row,
            color=COLOURS[number],
            linestyle="--" if "zeros" in row else "-",
            marker="o",
            markersize=4,
            linewidth=1.3,
            capsize=2,
        )
    axis.set_xticks(range(len(grid.columns)), [column.capitalize() for column in grid.columns])
    axis.set_ylim(0, 1)
    axis.grid(alpha=0.25)


def _limits(axis: Axes, overview: Overview, metric: str) -> None:
    """Dashed lines at infinite width, with a band of ± 2 standard errors."""
    for number, row in enumerate(overview.by_width.rows):
        value = overview.limits.get((row, metric))
        if value is None:
            continue
        axis.axhline(value.mean, color=COLOURS[number], linestyle=":", linewidth=1.3)
        band = 2 * value.stderr
        axis.axhspan(value.mean - band, value.mean + band, color=COLOURS[number], alpha=0.2, lw=0)
        axis.annotate(
            f"∞ {value.mean:.3f}",
            (1.005, value.mean),
            xycoords=("axes fraction", "data"),
            color=COLOURS[number],
            fontsize=7.5,
            va="center",
        )


def _picture(axis: Axes, photo: Photo, title: str) -> None:
    axis.imshow(photo.pixels.permute(1, 2, 0).numpy() / 255)
    axis.set_title(title, fontsize=8)


def without_ticks(figure: Figure) -> Figure:
    """The figure, its axes bare: for pictures."""
    for axis in figure.axes:
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set_visible(False)
    return figure
