"""Loss curves of trainings side by side: smoothed, compared, drawn, written (Figures 2a to 2c)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from preimage.paper.arms import Arm
from preimage.paper.decoder_draw import Files, save_files, tidy
from preimage.paper.draw import COLOURS
from preimage.paper.trainings import Trainings

_STYLES = ("-", "--", ":", "-.")
_SMOOTHED = 0.05  # of all steps: wide enough to hide the batch, narrow enough to show the descent


@dataclass(frozen=True)
class LossCurve:
    """The losses of one training, step by step, in squared grey levels per value of a pixel.

    Args:
        name: of the encoder; curves of one name differ in their network alone, or in their rate.
        scaled: whether features were divided by one constant.
        rate: the learning rate at its highest.
    """

    name: str
    network: int
    scaled: bool
    rate: float
    losses: Sequence[float]

    @property
    def final(self) -> float:
        """The mean loss of the last steps."""
        return smooth(self.losses)[-1]


def train_curves(trainings: Trainings, arms: Sequence[tuple[str, int, Arm]]) -> list[LossCurve]:
    """The curve of each arm, given as (name of the encoder, number of the network, arm).

    Raises:
        Incomplete: time was up.
    """
    curves = []
    for name, network, arm in arms:
        recipe = trainings.settings(arm).recipe
        losses = trainings.train(arm).losses
        curves.append(
            LossCurve(name, network, recipe.feature_scaling, recipe.learning_rate, losses)
        )
    return curves


def smooth(losses: Sequence[float], fraction: float = _SMOOTHED) -> list[float]:
    """The mean of each loss and those before it, over a window of a fraction of all steps."""
    width = max(1, round(fraction * len(losses)))
    total = [0.0]
    for loss in losses:
        total.append(total[-1] + loss)
    return [
        (total[i + 1] - total[max(0, i + 1 - width)]) / min(i + 1, width)
        for i in range(len(losses))
    ]


def steps_to(losses: Sequence[float], level: float) -> int | None:
    """The first step, counted from 1, at which the smoothed loss is at most `level`."""
    return next((i for i, loss in enumerate(smooth(losses), start=1) if loss <= level), None)


def by_name(
    curves: Sequence[LossCurve], measure: Callable[[LossCurve], float]
) -> dict[str, list[float]]:
    """One number of each network's curve, by the curve's name, in the order of the networks."""
    found: dict[str, list[float]] = {}
    for curve in sorted(curves, key=lambda curve: curve.network):
        found.setdefault(curve.name, []).append(measure(curve))
    return {name: found[name] for name in dict.fromkeys(curve.name for curve in curves)}


def percent_above(values: Sequence[float], reference: Sequence[float]) -> list[float]:
    """By how many percent each value exceeds the reference's of the same network."""
    return [100 * (a / b - 1) for a, b in zip(values, reference, strict=True)]


def curve_rows(curves: Sequence[LossCurve]) -> list[dict[str, Any]]:
    """A row per curve and step, for a table."""
    return [
        {
            "encoder": curve.name,
            "network": curve.network,
            "scaled": curve.scaled,
            "learning_rate": curve.rate,
            "step": step,
            "loss": loss,
        }
        for curve in curves
        for step, loss in enumerate(curve.losses, start=1)
    ]


def save_curves(
    trainings: Trainings,
    layer: str,
    panels: Mapping[str, Sequence[LossCurve]],
    curves: Sequence[LossCurve],
) -> Files:
    """Draws the panels and writes every step of all curves."""
    preset = trainings.preset
    batch = trainings.batch_size
    heading = (
        f"{layer.capitalize()}-De{layer.capitalize()}, {preset.steps:,} steps of {batch} crops of "
        f"{preset.crop}×{preset.crop}; n networks"
    )
    return save_files(trainings.options, draw_losses(panels, heading), curve_rows(curves))


def draw_losses(panels: Mapping[str, Sequence[LossCurve]], heading: str) -> Figure:
    """Smoothed loss against the step, both logarithmic, one panel per title.

    Curves of one name share a colour; the legend names them once.
    """
    figure = Figure(figsize=(5.6 * len(panels), 4.4), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    names = list(dict.fromkeys(curve.name for curves in panels.values() for curve in curves))
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        unnamed, counts = set(names), Counter(curve.name for curve in curves)
        for curve in curves:
            index = names.index(curve.name)
            axis.plot(
                range(1, len(curve.losses) + 1),
                smooth(curve.losses),
                _STYLES[index // len(COLOURS)],
                color=COLOURS[index % len(COLOURS)],
                linewidth=1.2,
                label=f"{curve.name} (n = {counts[curve.name]})" if curve.name in unnamed else None,
            )
            unnamed.discard(curve.name)
        axis.set(xscale="log", yscale="log", xlabel="step", ylabel="loss (grey levels²), smoothed")
        axis.set_title(title, fontsize=10)
        tidy(axis)
    return figure
