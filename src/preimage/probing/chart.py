"""The chart of a probe: PSNR by layer, of the network and of its random twins."""

from collections.abc import Sequence
from statistics import fmean, stdev

from matplotlib.axes import Axes

from preimage.notebook.figures import ShownFigure
from preimage.probing.chart_style import LIGHT, Style, dress
from preimage.probing.layer_report import LayerReport
from preimage.probing.verdict import Verdict, half_width_at, over_draws


def draw_layers(
    layers: Sequence[LayerReport], mean_image: Sequence[float], style: Style = LIGHT
) -> ShownFigure:
    """PSNR by layer with floors and ceilings; below it trained minus twins, if there are any."""
    figure = ShownFigure(figsize=style.size, layout="constrained", facecolor=style.ground)
    twins = any(layer.twins for layer in layers)
    ratios = [2.2, 1] if twins else [1]
    axes = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    draw_psnr(axes[0], layers, mean_image, style)
    if twins:
        _draw_difference(axes[1], layers, style)
    for axis in axes:
        dress(axis, style)
    slanted = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    few = sum(len(layer.name) for layer in layers) < 8 * style.size[0]
    axes[-1].set_xticks(
        range(len(layers)), [layer.name for layer in layers], **({} if few else slanted)
    )
    return figure


def draw_psnr(
    axis: Axes, layers: Sequence[LayerReport], mean_image: Sequence[float], style: Style = LIGHT
) -> None:
    """Points with 95 % intervals over photos; a band in which one more random twin would lie."""
    xs, limits = range(len(layers)), _levels(layers, mean_image)
    psnr = [layer.psnr for layer in layers]
    axis.errorbar(
        xs,
        [interval.mean for interval in psnr],
        [interval.half_width for interval in psnr],
        fmt="o-",
        color=style.trained,
        capsize=3,
        linewidth=1.6,
        markersize=5,
        label="trained ± 95 % over photos",
        zorder=3,
    )
    _draw_twins(axis, layers, style)
    for name, marker in (("bicubic", "v"), ("ceiling", "^")):
        values = [_bound(layer, name) for layer in layers]
        there = [(x, fmean(value)) for x, value in zip(xs, values, strict=True) if value]
        there = [(x, height) for x, height in there if height < limits[1]]
        if there:
            label = {"bicubic": "photo shrunk to the layer's grid", "ceiling": "ceiling"}[name]
            at, heights = [x for x, _ in there], [height for _, height in there]
            axis.plot(at, heights, marker, color=style.soft, markersize=5, label=label, zorder=2)
    axis.axhline(fmean(mean_image), color=style.soft, linestyle=(0, (4, 3)), linewidth=1)
    axis.annotate(
        "mean image",
        (1, fmean(mean_image)),
        xycoords=("axes fraction", "data"),
        xytext=(0, -12),
        textcoords="offset points",
        ha="right",
        color=style.soft,
        fontsize=9,
    )
    axis.set_ylabel("PSNR (dB)")
    axis.set_ylim(*limits)
    _legend_from(axis, "trained", style)


def _legend_from(axis: Axes, first: str, style: Style) -> None:
    """A legend that begins with the label of this beginning."""
    handles, labels = axis.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: not labels[i].startswith(first))
    axis.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="best",  # said aloud: matplotlib warns of its default where a machine is slow
        fontsize=9,
        frameon=False,
        labelcolor=style.ink,
    )


def _levels(layers: Sequence[LayerReport], mean_image: Sequence[float]) -> tuple[float, float]:
    """Where the axis begins and ends: a wide band or a far ceiling runs out of it."""
    values = [layer.psnr.mean for layer in layers]
    values += [fmean(twin) for layer in layers for twin in layer.twins]
    values += [fmean(floor) for layer in layers if (floor := layer.floors.get("bicubic"))]
    low, high = min(*values, fmean(mean_image)), max(*values, fmean(mean_image))
    room = 0.12 * (high - low) + 0.5
    return low - room, high + room


def _bound(layer: LayerReport, name: str) -> Sequence[float]:
    return layer.ceiling if name == "ceiling" else layer.floors.get(name, [])


def _draw_twins(axis: Axes, layers: Sequence[LayerReport], style: Style) -> None:
    drawn = [(x, [fmean(t) for t in layer.twins]) for x, layer in enumerate(layers) if layer.twins]
    if not drawn:
        return
    xs, means = [x for x, _ in drawn], [fmean(values) for _, values in drawn]
    number = len(drawn[0][1])
    label = f"random twins ({number}), each a dot" if number > 1 else "random twin"
    axis.plot(xs, means, "-", color=style.twins, linewidth=1.6, label=label)
    for x, values in drawn:
        axis.plot([x] * number, values, ".", color=style.twins, markersize=6, zorder=3)
    if number > 1 and max(stdev(values) for _, values in drawn):
        widths = [over_draws(values).half_width for _, values in drawn]
        low, high = ([m + sign * w for m, w in zip(means, widths, strict=True)] for sign in (-1, 1))
        label = "where one more twin would lie (95 %)"
        axis.fill_between(xs, low, high, color=style.twins, alpha=0.15, linewidth=0, label=label)


def _draw_difference(axis: Axes, layers: Sequence[LayerReport], style: Style) -> None:
    """Trained minus twins with both intervals, side by side."""
    verdicts = [layer.verdict(len(layers)) for layer in layers]
    for x, verdict in enumerate(verdicts):
        if verdict is None:
            continue
        pairs = (
            (verdict.over_photos, "photos", style.ink),
            (verdict.over_draws, "draws", style.ground),
        )
        for (interval, over, inside), shift in zip(pairs, (-0.07, 0.07), strict=True):
            width = half_width_at(interval, verdict.confidence)
            if width == float("inf"):
                continue
            axis.errorbar(
                [x + shift],
                [interval.mean],
                [width],
                fmt="o",
                color=style.ink,
                markerfacecolor=inside,
                markersize=5,
                capsize=3,
                linewidth=1.2,
                label=None if x else f"over {over}",
            )
    axis.axhline(0, color=style.soft, linewidth=1)
    # At least a tenth of a dB: rounding is no difference.
    reach = 1.15 * max([0.1, *(_extent(verdict) for verdict in verdicts if verdict)])
    axis.set_ylim(-reach, reach)
    axis.set_ylabel("trained − twins (dB)")
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="best", fontsize=9, frameon=False, labelcolor=style.ink, ncols=2)


def _extent(verdict: Verdict) -> float:
    """How far an axis must reach; a bar of few draws that is far longer runs out of it."""
    mean = abs(verdict.over_photos.mean)
    photos, draws = (
        half_width_at(interval, verdict.confidence)
        for interval in (verdict.over_photos, verdict.over_draws)
    )
    return mean + max(photos, min(draws, 2 * max(mean, photos)))
