"""Figures 2, 3, 4 and 6: what became of trained decoders in, matplotlib `Figure` out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from preimage.data.photo import Photo, clipped_image
from preimage.paper.draw import COLOURS, without_ticks
from preimage.scores.metrics import colour_scores
from preimage.scores.statistics import Interval

_STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class LossPanel:
    """Smoothed losses a photo by step, one list a curve; curves of one name share a colour."""

    title: str
    curves: Sequence[tuple[str, Sequence[float]]]


def draw_losses(panels: Sequence[LossPanel], heading: str) -> Figure:
    """Loss against the number of steps, both on logarithmic scales."""
    figure = Figure(figsize=(5.6 * len(panels), 4.4), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    names = list(dict.fromkeys(name for panel in panels for name, _ in panel.curves))
    for axis, panel in zip(axes, panels, strict=True):
        seen: set[str] = set()
        for name, losses in panel.curves:
            index = names.index(name)
            axis.plot(
                range(1, len(losses) + 1),
                losses,
                _STYLES[index // len(COLOURS)],
                color=COLOURS[index % len(COLOURS)],
                linewidth=1.2,
                label=None if name in seen else name,
            )
            seen.add(name)
        axis.set(xscale="log", yscale="log", title=panel.title, xlabel="steps")
        axis.title.set_fontsize(10)
        axis.set_ylabel("squared error of a pixel (grey levels²), smoothed")
        _tidy(axis)
    return figure


@dataclass(frozen=True)
class DepthLine:
    """A method's mean squared error by layer, with intervals."""

    label: str
    points: Mapping[str, Interval]
    colour: int
    style: str = "-"


def draw_depth(panels: Mapping[str, Sequence[DepthLine]], heading: str, y_label: str) -> Figure:
    """Errors by layer on a logarithmic scale, one panel a set of photos."""
    figure = Figure(figsize=(5.8 * len(panels), 4.8), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (title, lines) in zip(axes, panels.items(), strict=True):
        for number, line in enumerate(lines):
            shift = 0.03 * (number - (len(lines) - 1) / 2)
            shown = [(x, p) for x, p in enumerate(line.points.values()) if p.mean > 0]
            axis.errorbar(
                [x + shift for x, _ in shown],
                [point.mean for _, point in shown],
                yerr=[_finite(point.half_width) for _, point in shown],
                label=line.label,
                color=COLOURS[line.colour],
                linestyle=line.style,
                marker="o",
                markersize=3.5,
                linewidth=1.3,
                capsize=2,
            )
        layers = [layer.capitalize() for layer in lines[0].points]
        axis.set_xticks(range(len(layers)), layers)
        axis.set(yscale="log", title=title, xlabel="layer", ylabel=y_label)
        axis.title.set_fontsize(10)
        axis.tick_params(labelleft=True)
        _tidy(axis)
    return figure


def draw_decoded(
    photos: Sequence[Photo],
    rows: Sequence[tuple[str, Mapping[str, Sequence[Float[Tensor, "3 H W"]]]]],
    heading: str,
) -> Figure:
    """Photos, then for each named row of columns what came back; PSNR above each picture.

    Args:
        rows: (name, column → one picture a photo).
    """
    columns = 1 + max(len(pictures) for _, pictures in rows)
    lines = len(rows) * len(photos)
    figure = Figure(figsize=(1.75 * columns, 1.95 * lines + 0.6), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(lines, columns, squeeze=False)
    places = [(row, index) for row in rows for index in range(len(photos))]
    for line, ((name, pictures), index) in zip(axes, places, strict=True):
        photo = photos[index]
        line[0].imshow(photo.pixels.permute(1, 2, 0).numpy() / 255)
        line[0].set_title(photo.name[:24], fontsize=7.5)
        line[0].set_ylabel(name, fontsize=8.5)
        for axis, (column, outputs) in zip(line[1:], pictures.items(), strict=False):
            output = outputs[index]
            found = float(colour_scores(photo.pixels[None], output[None]).psnr)
            axis.imshow(clipped_image(output))
            axis.set_title(f"{column}: {found:.1f} dB", fontsize=7.5)
        for axis in line[1 + len(pictures) :]:
            axis.set_visible(False)
    return without_ticks(figure)


def _finite(value: float) -> float:
    return value if value != float("inf") else 0.0


def _tidy(axis: Axes) -> None:
    axis.grid(alpha=0.25, which="both")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=7.5, frameon=False)
