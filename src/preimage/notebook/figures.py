"""Drawings: figures that a notebook shows without pyplot, and pictures on axes."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.notebook.html import MOST_TILES
from preimage.notebook.tile import Tile

#: Legible to the colour-blind (Okabe-Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_INCHES = 2.2  # width of a picture
_LINE = 0.17  # height of a line of its caption


class ShownFigure(Figure):
    """A matplotlib Figure that a notebook shows, once, whether or not pyplot is in use."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi)
        return buffer.getvalue()


def new_figure(draw: Callable[[Axes], Any], size: tuple[float, float] = (5.4, 3.6)) -> ShownFigure:
    """A figure with one Axes, drawn on by `draw`."""
    figure = ShownFigure(figsize=size, layout="constrained")
    draw(figure.subplots())
    return figure


def tiled(tiles: Sequence[Tile], columns: int | None = None, most: int = MOST_TILES) -> ShownFigure:
    """Pictures on a grid, each on its own Axes under its caption.

    Args:
        most: of them are drawn; of the others the figure says how many there are.
    """
    others, tiles = len(tiles) - most, tiles[:most]
    wide = max(tile.columns for tile in tiles)
    columns = columns or min(len(tiles), max(1, 4 // wide))
    rows = math.ceil(len(tiles) / columns)
    width = _INCHES * wide
    tallest = max(_aspect(tile) for tile in tiles)
    lines = max(tile.caption.count("\n") + 1 for tile in tiles)
    height = width * tallest + _LINE * lines + 0.16
    figure = ShownFigure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax, tile in zip(axes, tiles, strict=False):
        draw_tile(ax, tile, size=8.0)
    for ax in axes[len(tiles) :]:
        ax.set_axis_off()
    if others > 0:
        figure.supxlabel(f"and {others:,} more", fontsize=9)
    return figure


def _aspect(tile: Tile) -> float:
    """Height over width."""
    return 1.0 if tile.image is None else min(2.0, tile.image.height / tile.image.width)


def draw_tile(ax: Axes, tile: Tile, size: float = 9.0) -> None:
    """A picture on axes without ticks, its caption above it."""
    if tile.image is not None:
        ax.imshow(tile.image, cmap="gray", vmin=0, vmax=255)
    ax.set_title(tile.caption, fontsize=size, parse_math=False)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def draw_points(ax: Axes, samples: Mapping[str, Sequence[float]]) -> None:
    """One column per sample: each value a dot, the mean a bar."""
    for x, values in enumerate(samples.values()):
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            continue
        # Side by side by their rank, so that equal values can be told apart.
        shifts = [0.3 * (rank / max(len(finite) - 1, 1) - 0.5) for rank in range(len(finite))]
        ax.plot([x + shift for shift in shifts], sorted(finite), ".", color=COLOURS[x % 6])
        mean = sum(finite) / len(finite)
        ax.plot([x - 0.25, x + 0.25], [mean, mean], color=COLOURS[x % 6], linewidth=2)
        ax.annotate(f"{mean:.3g}", (x + 0.28, mean), va="center", fontsize=9)
    ax.set_xticks(range(len(samples)), list(samples))
    ax.set_xlim(-0.6, len(samples) - 0.3)
    _bare(ax)


def draw_levels(
    ax: Axes, lines: Mapping[str, Mapping[Any, tuple[float, float]]], logarithmic: bool = False
) -> None:
    """A line per name over x: each point a value with half of its interval, infinite for none."""
    xs = list(dict.fromkeys(x for line in lines.values() for x in line))
    places = {x: x if logarithmic else place for place, x in enumerate(xs)}
    for number, (name, line) in enumerate(lines.items()):
        values = [value for value, _ in line.values()]
        halves = [half if math.isfinite(half) else 0.0 for _, half in line.values()]
        ax.errorbar(
            [places[x] for x in line],
            values,
            halves,
            fmt="o-",
            color=COLOURS[number % 6],
            capsize=3,
            linewidth=1.4,
            markersize=4,
            label=name or None,
        )
    if logarithmic:
        ax.set_xscale("log", base=2)
    ax.set_xticks(list(places.values()), [str(x) for x in xs])
    ax.minorticks_off()
    if any(lines):
        ax.legend(loc="best", fontsize=9, frameon=False)
    _bare(ax)


def _bare(ax: Axes) -> None:
    ax.grid(axis="y", alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
