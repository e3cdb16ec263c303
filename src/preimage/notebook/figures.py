"""Drawings: figures that a notebook shows without pyplot, and pictures on axes."""

import io
import math
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.notebook.html import MOST_TILES
from preimage.notebook.tile import Tile

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


def tiled(tiles: Sequence[Tile], columns: int | None = None) -> ShownFigure:
    """Pictures on a grid, each on its own Axes under its caption; at most 24 of them."""
    tiles = tiles[:MOST_TILES]
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
