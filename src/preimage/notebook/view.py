"""What a result shows of itself, declared once: its HTML, PNG, frame and drawing follow from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from preimage.notebook.brief import Brief
from preimage.notebook.frames import frame
from preimage.notebook.tile import Tile as Tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Shown(Brief):
    """A result that shows itself: one line of text, in a notebook pictures and a table.

    A class says what it has to show in `_tiles` (pictures) and `_rows` (its table).
    """

    def _tiles(self) -> Sequence[Tile]:
        """Its pictures, the main one first."""
        return ()

    def _rows(self) -> Sequence[Mapping[str, Any]]:
        """Its numbers: one mapping of plain values per row."""
        return ()

    def _repr_html_(self) -> str:
        from preimage.notebook.html import render

        return render(repr(self), self._tiles(), self._rows())

    def _repr_png_(self) -> bytes | None:
        from preimage.notebook.html import contact_sheet

        return contact_sheet(self._tiles())

    def to_frame(self) -> Any:
        """Its numbers as a pandas data frame.

        Raises:
            ImportError: pandas is not installed; the extra `notebook` has it.
        """
        return frame(self._rows())


class Drawn(Shown):
    """A result that draws itself too: its pictures, or the chart of `_draw`."""

    def _draw(self, ax: Any) -> None:
        """Draws the main picture, or the chart, on matplotlib axes."""
        from preimage.notebook.figures import draw_tile

        draw_tile(ax, self._tiles()[0])

    def _figure(self) -> Any:
        """All pictures on a new figure; the chart where there are none."""
        from preimage.notebook.figures import new_figure, tiled

        tiles = self._tiles()
        return tiled(tiles) if tiles else new_figure(self._draw)

    @overload
    def plot(self, ax: None = None) -> "Figure": ...
    @overload
    def plot(self, ax: "Axes") -> "Axes": ...
    def plot(self, ax: Any = None) -> Any:
        """Draws itself with matplotlib.

        Args:
            ax: the Axes to draw the main picture or the chart on; a new figure, with all pictures,
                if not given.

        Returns:
            the new Figure, whose `axes` can be styled and which a notebook shows; or `ax`.
        """
        if ax is None:
            return self._figure()
        self._draw(ax)
        return ax


def draw_on(ax: Any, draw: Callable[[Any], object]) -> Any:
    """Draws on these Axes and returns them, or on a new Figure and returns that."""
    if ax is None:
        from preimage.notebook.figures import new_figure

        return new_figure(draw)
    draw(ax)
    return ax
