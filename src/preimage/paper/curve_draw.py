"""Charts of curves over networks: means with bands of one standard deviation."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.paper.curves import Curve
from preimage.scores.statistics import Interval


@dataclass(frozen=True)
class Line:
    """A curve in a panel: mean over networks, and a band of ± one standard deviation.

    `limit` is where it tends, a dashed level with its value at the right; `dashed` curves have no
    band.
    """

    curve: Curve
    colour: str
    limit: Interval | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Lines that share axes."""

    title: str
    y_label: str
    lines: Sequence[Line]


def draw_curves(panels: Sequence[Panel], x_label: str, heading: str) -> Figure:
    """Panels side by side with one y axis, x on a logarithmic scale."""
    figure = Figure(figsize=(5.3 * len(panels), 4.4), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, panel in zip(axes, panels, strict=True):
        for line in panel.lines:
            _draw_line(axis, line)
        _name_points(axis, panel.lines[0].curve)
        axis.set(title=panel.title, xlabel=x_label, ylabel=panel.y_label)
        axis.title.set_fontsize(10)
        axis.tick_params(labelleft=True, labelsize=9)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    # Below, since bands leave no room inside that is free in every figure.
    keys = {
        label: key
        for axis in axes
        for key, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        keys.values(), keys.keys(), loc="outside lower center", ncols=4, fontsize=8, frameon=False
    )
    return figure


def _draw_line(axis: Axes, line: Line) -> None:
    xs = list(line.curve.values)
    points = [line.curve.interval(x) for x in xs]
    means = [point.mean for point in points]
    axis.plot(
        xs,
        means,
        "--" if line.dashed else "o-",
        color=line.colour,
        markersize=4,
        linewidth=1.4,
        label=line.curve.label,
    )
    if not line.dashed:
        low = [point.mean - point.std for point in points]
        high = [point.mean + point.std for point in points]
        axis.fill_between(xs, low, high, color=line.colour, alpha=0.15, lw=0)
    if line.limit:
        axis.axhline(line.limit.mean, color=line.colour, linestyle=(0, (5, 4)), linewidth=1)
        axis.annotate(
            f"∞ {line.limit.mean:.3f}",
            (1, line.limit.mean),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            color=line.colour,
            fontsize=8,
        )


def _name_points(axis: Axes, curve: Curve) -> None:
    """Each x by its value, with the number of networks below it where that varies."""
    axis.set_xscale("log", base=2)
    several = len(set(curve.num_networks)) > 1
    names = [
        f"{x}\nn={n}" if several else str(x)
        for x, n in zip(curve.values, curve.num_networks, strict=True)
    ]
    axis.set_xticks(list(curve.values), names)
    axis.minorticks_off()
