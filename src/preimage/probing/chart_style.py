"""What the charts of a page share: colours by day and by night, wide and narrow, as SVG."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.data.html import data_uri


@dataclass(frozen=True)
class Style:
    """Colours, legible to the colour-blind (Okabe-Ito), and a size in inches."""

    trained: str = "#0072B2"
    twins: str = "#D55E00"
    ink: str = "#1d2330"
    soft: str = "#5c6577"
    ground: str = "#ffffff"
    size: tuple[float, float] = (9.6, 6.4)


LIGHT = Style()
DARK = Style("#56B4E9", "#E69F00", "#e7eaf0", "#a0a9ba", "#151922")
NARROW = (4.4, 6.6)


def dress(axis: Axes, style: Style) -> None:
    """An axis in the colours of the style."""
    axis.set_facecolor(style.ground)
    axis.grid(axis="y", alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(style.soft)
    axis.tick_params(colors=style.ink, labelsize=9)
    for label in (axis.xaxis.label, axis.yaxis.label):
        label.set_color(style.ink)


def as_svg(figure: Figure) -> bytes:
    """A figure as SVG, without dates, so that equal figures are equal bytes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "preimage"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def in_four_styles(
    draw: Callable[[Style], Figure], narrow: tuple[float, float] = NARROW
) -> Mapping[str, str]:
    """A chart as the page's `picture.html` wants it: addresses that contain it.

    Args:
        narrow: its size in inches where the page is narrow.
    """
    styles = {
        "wide": LIGHT,
        "narrow": replace(LIGHT, size=narrow),
        "wide_dark": DARK,
        "narrow_dark": replace(DARK, size=narrow),
    }
    return {name: data_uri(as_svg(draw(style)), "svg+xml") for name, style in styles.items()}
