"""The demo's drawings: highlights, one sheet of pictures per photo, curves by layer and width."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from preimage.data.photo import Photo
from preimage.paper.draw import COLOURS, caption, draw_photo, without_ticks
from preimage.paper.overview import Grid, Overview

_HIGHLIGHTS = 5  # photos
_SHEET_COLUMNS = 6  # the photo and five layers


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
        draw_photo(axes[0, index], photo, photo.name)
        for line, (grid, row, column, label) in zip(axes[1:], rows, strict=True):
            result = grid.pictures[row, column][index]
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
    _sheet(upper, overview.by_layer, index, photo, "Layer")
    _sheet(lower, overview.by_width, index, photo, "Conv1-DeConv1, width")
    return without_ticks(figure)


def _sheet(figure: FigureBase, grid: Grid, index: int, photo: Photo, column_name: str) -> None:
    figure.suptitle(f"{column_name} by column; nothing is trained", fontsize=10)
    axes = figure.subplots(len(grid.rows), _SHEET_COLUMNS, squeeze=False)
    for row, line in zip(grid.rows, axes, strict=True):
        draw_photo(line[0], photo, photo.name)
        line[0].set_ylabel(row, fontsize=9)
        for axis in line[len(grid.columns) + 1 :]:
            axis.set_visible(False)
        for column, axis in zip(grid.columns, line[1:], strict=False):
            result = grid.pictures[row, column][index]
            axis.imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_title(f"{column.capitalize()}: {caption(result)}", fontsize=6.5)


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
        line[0].legend(loc="best", fontsize=7.5, frameon=False)
    figure.suptitle(
        f"Random CNN, random DCN, {overview.config.weights}: averages over "
        f"{len(overview.photos)} photos; mean ± std over {overview.counts} networks",
        fontsize=10,
    )
    return figure


def _curves(axis: Axes, grid: Grid, metric: str) -> None:
    for number, row in enumerate(grid.rows):
        points = [grid.interval(row, column, metric, absolute=True) for column in grid.columns]
        axis.errorbar(
            [x + 0.05 * (number - (len(grid.rows) - 1) / 2) for x in range(len(grid.columns))],
            [point.mean for point in points],
            yerr=[point.std for point in points],
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
