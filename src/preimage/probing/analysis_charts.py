"""The page's sections on leakage and on frequencies and colours, with their charts."""

from collections.abc import Mapping, Sequence
from math import ceil, inf
from statistics import fmean
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.probing.bands import BandReport, Bands
from preimage.probing.chart_style import Style, dress, in_four_styles
from preimage.probing.correlations import CorrelationReport
from preimage.probing.layer_report import LayerReport
from preimage.probing.leakage import LeakageCurve, LeakagePoint
from preimage.probing.numbers import ProbeNumbers

_NEAR = 1.0  # dB


def bands(numbers: ProbeNumbers) -> Mapping[str, Any] | None:
    """Variance retained by frequency and colour, a panel per layer; None if not computed."""
    reports = {layer.name: layer.bands for layer in numbers.layers if layer.bands}
    if not reports:
        return None
    rows = [
        {"name": name, "cells": [cell for axis in range(3) for cell in _retained(report, axis)]}
        for name, report in reports.items()
    ]
    known = {layer.name: layer.correlations for layer in numbers.layers if layer.correlations}
    return {
        "chart": in_four_styles(lambda style: draw_bands(reports, style)),
        "correlations": in_four_styles(lambda style: draw_correlations(known, style))
        if known
        else None,
        "rows": rows,
        "twins": any(report.twins for report in reports.values()),
    }


def _retained(report: BandReport, axis: int) -> list[str]:
    """Per cent of a colour axis, of the trained network and of the twins' mean."""
    kinds: list[Sequence[Bands]] = [[report.trained], report.twins]
    return [
        f"{100 * fmean(found.retained(axis).mean for found in kind):.1f}" if kind else ""
        for kind in kinds
    ]


def draw_bands(reports: Mapping[str, BandReport], style: Style) -> Figure:
    """A panel per layer, in the network's order."""
    colours = (style.ink, style.twins, style.trained)
    figure, axes = _panels(list(reports), style)
    for axis, report in zip(axes, reports.values(), strict=True):
        report.plot(axis, colours)
        axis.label_outer()
        dress(axis, style)
    return _with_legend(figure, axes[0], style)


def draw_correlations(reports: Mapping[str, CorrelationReport], style: Style) -> Figure:
    """Variance retained of each principal component of a block of pixels, a panel per layer."""
    figure, axes = _panels(list(reports), style)
    for axis, report in zip(axes, reports.values(), strict=True):
        xs = range(1, len(report.trained.retained) + 1)
        axis.plot(xs, report.trained.retained, color=style.trained, label="trained")
        for index, twin in enumerate(report.twins):
            label = "_" if index else "random twins"
            axis.plot(xs, twin.retained, "--", color=style.twins, linewidth=0.8, label=label)
        axis.set(xlabel="principal component", ylabel="variance retained", ylim=(-0.1, 1.02))
        axis.label_outer()
        dress(axis, style)
    return _with_legend(figure, axes[0], style)


def _panels(names: Sequence[str], style: Style) -> tuple[Figure, list[Axes]]:
    columns = min(3 if style.size[0] > 6 else 2, len(names))
    rows = ceil(len(names) / columns)
    size = (style.size[0], 2.3 * rows + 0.7)
    figure = Figure(figsize=size, layout="constrained", facecolor=style.ground)
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes, names, strict=False):
        axis.set_title(name, fontsize=9, color=style.ink)
    return figure, axes[: len(names)]


def _with_legend(figure: Figure, axis: Axes, style: Style) -> Figure:
    handles, labels = axis.get_legend_handles_labels()
    look: dict[str, Any] = {"fontsize": 9, "frameon": False, "labelcolor": style.ink}
    figure.legend(handles, labels, loc="outside upper center", ncols=3, **look)
    return figure


def leakage(numbers: ProbeNumbers) -> Mapping[str, Any] | None:
    """How well photos are read from spoilt features; None if not computed."""
    layers = [layer for layer in numbers.layers if layer.leakage]
    if not layers:
        return None
    chart = in_four_styles(lambda style: draw_leakage(layers, style))
    return {"chart": chart, "rows": [_leakage_row(layer) for layer in layers], "near": _NEAR}


def draw_leakage(layers: Sequence[LayerReport], style: Style) -> Figure:
    """PSNR over the noise, and over bits per pixel; a line per layer, twins dashed."""
    wide = style.size[0] > 6
    size = (style.size[0], 4.2 if wide else 7.0)
    figure = Figure(figsize=size, layout="constrained", facecolor=style.ground)
    axes = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1)
    shades = colormaps["viridis"].resampled(len(layers) + 1)
    for index, layer in enumerate(layers):
        colour = shades(index if style.ground == "#ffffff" else index + 1)
        for axis, series in zip(axes, ("noise", "coded"), strict=True):
            assert layer.leakage is not None
            layer.leakage.plot(axis, series, color=colour, label=layer.name, markersize=4)
            for twin in layer.twin_leakage:
                look = {"linewidth": 0.7, "alpha": 0.6, "marker": "", "label": "_"}
                twin.plot(axis, series, color=colour, linestyle="--", **look)
    for axis in axes:
        dress(axis, style)
    axes[0].legend(loc="best", fontsize=8, frameon=False, labelcolor=style.ink)
    return figure


def _leakage_row(layer: LayerReport) -> Mapping[str, Any]:
    curves = [layer.leakage] if layer.leakage else []
    cells = []
    for read in (_clean, _noisy, _bits):
        cells += [_text([read(curve) for curve in kind]) for kind in (curves, layer.twin_leakage)]
    return {"name": layer.name, "cells": cells}


def _clean(curve: LeakageCurve) -> float | None:
    return next((p.psnr for p in curve.series["noise"] if p.level == inf), None)


def _noisy(curve: LeakageCurve) -> float | None:
    """At as much noise as signal."""
    return next((p.psnr for p in curve.series["noise"] if p.level == 0), None)


def _bits(curve: LeakageCurve) -> float | None:
    """The fewest bits per pixel at which the picture is near its best."""
    best = _clean(curve)
    near = [p for p in curve.series["coded"] if best is not None and p.psnr > best - _NEAR]
    return min(map(_bits_of, near), default=None)


def _bits_of(point: LeakagePoint) -> float:
    return inf if point.bits_per_pixel is None else point.bits_per_pixel


def _text(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    return f"{fmean(there):.2f}" if there else ""
