"""Figures 5, 7, 8, 9 and 10: results of sweeps in, matplotlib `Figure` out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.data.photo import Photo
from preimage.paper.curves import Curve
from preimage.paper.draw import COLOURS, caption, without_ticks
from preimage.paper.overview import InfiniteWidth
from preimage.paper.width_study import Typical
from preimage.scores.metrics import grey, stretch
from preimage.sweeps.reconstruction import Reconstruction


@dataclass(frozen=True)
class Line:
    """A curve in a panel: mean over networks, and a band of ± one standard deviation.

    `limit` is where it tends, drawn as a dotted line; `dashed` curves have no band.
    """

    curve: Curve
    colour: str
    limit: InfiniteWidth | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Lines that share axes."""

    title: str
    y_label: str
    lines: Sequence[Line]


def draw_curves(panels: Sequence[Panel], x_label: str, heading: str) -> Figure:
    """Panels side by side with one y axis, x on a logarithmic scale, n below each x."""
    figure = Figure(figsize=(5.3 * len(panels), 4.4), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, panel in zip(axes, panels, strict=True):
        for line in panel.lines:
            _draw_line(axis, line)
        _name_points(axis, panel.lines[0].curve)
        axis.set(title=panel.title, xlabel=x_label, ylabel=panel.y_label)
        axis.title.set_fontsize(10)
        axis.tick_params(labelleft=True)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(fontsize=8, frameon=False)
    return figure


def _draw_line(axis: Axes, line: Line) -> None:
    xs = list(line.curve.values)
    points = [line.curve.summary(x) for x in xs]
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
            (0.01, line.limit.mean),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            color=line.colour,
            fontsize=8,
        )


def _name_points(axis: Axes, curve: Curve) -> None:
    axis.set_xscale("log", base=2)
    several = len(set(curve.num_networks)) > 1
    names = [
        f"{x}\nn={n}" if several else str(x)
        for x, n in zip(curve.values, curve.num_networks, strict=True)
    ]
    axis.set_xticks(list(curve.values), names)
    axis.minorticks_off()


def draw_typical(
    photos: Sequence[Photo], rows: Sequence[Mapping[int, Typical]], heading: str
) -> Figure:
    """Figure 5: a row a photo, its grey version first, then one column a width, SSIM above."""
    widths = list(dict.fromkeys(width for row in rows for width in row))
    columns = 1 + len(widths)
    figure = Figure(figsize=(1.45 * columns, 1.68 * len(photos) + 0.6), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(len(photos), columns, squeeze=False)
    for line, photo, row in zip(axes, photos, rows, strict=True):
        line[0].imshow(_grey(photo), cmap="gray", vmin=0, vmax=1)
        line[0].set_title("photo", fontsize=8)
        line[0].set_ylabel(photo.name[:18], fontsize=7)
        for axis, width in zip(line[1:], widths, strict=True):
            if width in row:
                result = row[width].reconstruction
                axis.imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
                axis.set_title(f"{result.ssim:.3f}", fontsize=8)
    for axis, width in zip(axes[-1, 1:], widths, strict=True):
        axis.set_xlabel(f"width {width}", fontsize=8)
    return without_ticks(figure)


def draw_layers(
    photo: Photo, rows: Mapping[str, Mapping[str, Reconstruction]], heading: str
) -> Figure:
    """Figure 7: the photo and its reconstructions from each layer, a row a kind of network."""
    columns = 1 + max(len(row) for row in rows.values())
    figure = Figure(figsize=(1.75 * columns, 2 * len(rows) + 0.4), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        line[0].imshow(_grey(photo), cmap="gray", vmin=0, vmax=1)
        line[0].set_title(photo.name[:22], fontsize=8)
        line[0].set_ylabel(name, fontsize=8)
        for axis, (layer, result) in zip(line[1:], row.items(), strict=False):
            axis.imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_title(f"{layer.capitalize()}: {caption(result)}", fontsize=6.5)
    return without_ticks(figure)


def draw_by_layer(curves: Sequence[tuple[str, Curve]], heading: str) -> Figure:
    """|r| over the layers, mean ± std over networks."""
    figure = Figure(figsize=(5.6, 4), layout="constrained")
    figure.suptitle(heading, fontsize=9)
    axis = figure.subplots()
    for index, (style, curve) in enumerate(curves):
        points = [curve.summary(layer) for layer in curve.values]
        axis.errorbar(
            [place + 0.05 * (index - (len(curves) - 1) / 2) for place in range(len(points))],
            [point.mean for point in points],
            yerr=[point.std for point in points],
            fmt=f"o{style}",
            color=COLOURS[index // 2],
            markersize=4,
            linewidth=1.3,
            capsize=2,
            label=curve.label,
        )
    layers = list(curves[0][1].values)
    axis.set_xticks(range(len(layers)), [layer.capitalize() for layer in layers])
    axis.set(xlabel="layer", ylabel="|Pearson's r|, grey", ylim=(0, 1))
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False)
    return figure


def _grey(photo: Photo) -> object:
    return stretch(grey(photo.pixels[None]))[0].numpy()
