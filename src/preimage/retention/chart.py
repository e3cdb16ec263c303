"""A line chart as SVG that takes its colours from the page, by day and by night."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 720, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 118, 14, 44


@dataclass(frozen=True)
class Line:
    """Points (x, y) with a name; `level` is a dashed line at what the points tend to."""

    name: str
    points: tuple[tuple[int | float, float], ...]
    level: float | None = None


def line_chart(lines: Sequence[Line], x_name: str, y_name: str) -> Markup:
    """Lines over a logarithmic x axis, each labelled at its end."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    ys += [line.level for line in lines if line.level is not None]
    low, high = math.floor(min(ys) - 0.5), math.ceil(max(ys) + 0.5)
    left, right = math.log2(min(xs)), math.log2(max(xs))

    def at(x: int | float, y: int | float) -> tuple[float, float]:
        across = (math.log2(x) - left) / ((right - left) or 1)
        down = (high - y) / (high - low)
        inner = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + across * inner[0], _TOP + down * inner[1]

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(y_name)} over '
        f'{escape(x_name)}; the numbers stand in the table">'
    ]
    step = max(1, round((high - low) / 6))
    for level in range(low, high + 1, step):
        y = at(xs[0], level)[1]
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" class="end">{level}</text>')
    for x in sorted(set(xs)):
        place = at(x, low)
        parts.append(f'<text x="{place[0]:.1f}" y="{place[1] + 18:.1f}" class="mid">{x:g}</text>')
    parts += _drawn(lines, at)
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 6}" class="mid">{escape(x_name)}</text>')
    parts.append(
        f'<text transform="rotate(-90 14 {_HEIGHT / 2})" x="14" y="{_HEIGHT / 2}" class="mid">'
        f"{escape(y_name)}</text></svg>"
    )
    return Markup("".join(parts))


def _drawn(
    lines: Sequence[Line], at: Callable[[int | float, int | float], tuple[float, float]]
) -> list[str]:
    parts = []
    labels = _apart([at(*line.points[-1])[1] for line in lines])
    for number, (line, label) in enumerate(zip(lines, labels, strict=True)):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line.points))
        hue = f'style="--hue: {(205 + 67 * number) % 360}"'
        parts.append(f'<g {hue}><polyline points="{path}"/>')
        if line.level is not None:
            y = at(line.points[0][0], line.level)[1]
            parts.append(f'<path class="level" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        for x, y in (at(*point) for point in line.points):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        parts.append(
            f'<text x="{_WIDTH - _RIGHT + 8}" y="{label + 4:.1f}">{escape(line.name)}</text></g>'
        )
    return parts


def _apart(heights: Sequence[float], least: float = 15) -> list[float]:
    """Heights of labels, moved so that none lies on another."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed = list(heights)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + least)
    return placed
