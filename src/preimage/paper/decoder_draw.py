"""What the drawings of trained decoders share (Figures 2, 3, 4 and 6)."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.data.records import output_folder
from preimage.paper.draw import COLOURS, save_figure
from preimage.paper.finding import Finding
from preimage.paper.options import FigureOptions
from preimage.paper.tables import write_rows
from preimage.scores.statistics import Interval


class Files(NamedTuple):
    """Names of a figure's picture and of the table behind it."""

    pictures: tuple[str, ...]
    tables: tuple[str, ...]


def save_files(
    options: FigureOptions, figure: Figure, rows: Sequence[Mapping[str, Any]], dpi: int = 150
) -> Files:
    """Writes `<figure>.png` and `<figure>.csv`."""
    folder = output_folder(options.out)
    picture = save_figure(figure, folder / f"{options.figure}.png", dpi=dpi).name
    return Files((picture,), (write_rows(folder / f"{options.figure}.csv", rows),))


def with_files(
    findings: Sequence[Finding],
    files: Files,
    steps: int | str,
    seconds: float,
    closed_form: Container[str] = (),
) -> list[Finding]:
    """The findings of one figure: they share its picture, its table, its steps and its time.

    Args:
        steps: of each training; a text where they differ.
        closed_form: names of the claims that speak of no trained decoder, and so of no steps.
    """
    found, text = [], "{steps:,}" if isinstance(steps, int) else "{steps}"
    for finding in findings:
        if finding.verdict != "absent" and finding.claim.name not in closed_form:
            finding = replace(
                finding,
                sentence=f"{finding.sentence}; decoders trained for {text} steps",
                brief=f"{finding.brief}; {text} steps",
                numbers={**finding.numbers, "steps": steps},
            )
        found.append(
            replace(finding, pictures=files.pictures, tables=files.tables, seconds=seconds)
        )
    return found


@dataclass(frozen=True)
class ErrorLine:
    """A method's mean squared error at each place of the x axis, with its interval."""

    label: str
    points: Mapping[str, Interval]
    colour: int
    style: str = "-"


def draw_errors(panels: Mapping[str, Sequence[ErrorLine]], heading: str, x_label: str) -> Figure:
    """Errors on a logarithmic scale, one panel per title."""
    figure = Figure(figsize=(5.8 * len(panels), 4.8), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (title, lines) in zip(axes, panels.items(), strict=True):
        for number, line in enumerate(lines):
            _draw_line(axis, line, shift=0.03 * (number - (len(lines) - 1) / 2))
        places = [place.capitalize() for place in lines[0].points]
        axis.set_xticks(range(len(places)), places)
        axis.set(yscale="log", xlabel=x_label, ylabel="mean squared error (grey levels²)")
        axis.set_title(title, fontsize=10)
        axis.tick_params(labelleft=True)
        tidy(axis)
    return figure


def _draw_line(axis: Axes, line: ErrorLine, shift: float) -> None:
    # Where the bicubic copy is the photo itself its error is 0, which has no logarithm.
    shown = [(x, p) for x, p in enumerate(line.points.values()) if p.mean > 0]
    axis.errorbar(
        [x + shift for x, _ in shown],
        [point.mean for _, point in shown],
        yerr=[0.0 if point.half_width == inf else point.half_width for _, point in shown],
        label=line.label,
        color=COLOURS[line.colour],
        linestyle=line.style,
        marker="o",
        markersize=3.5,
        linewidth=1.3,
        capsize=2,
    )


def tidy(axis: Axes) -> None:
    """A faint grid, no frame at the top and right, a legend without one."""
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="best", fontsize=7.5, frameon=False)
