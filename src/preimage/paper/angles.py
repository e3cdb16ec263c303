"""Angles of random networks to their infinite-width limit, over the width, and bounds of them.

`angle_theorems` says what the theorems are worth.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, UnpoolKind
from preimage.scores.statistics import Interval, mean_interval
from preimage.theory import (
    angle_bound,
    limit,
    multilayer_angle_bound,
    sharper_angle_bound,
    two_layer,
    two_layer_angle_bound,
)

WEIGHT_STD = 0.1  # the paper's; no angle depends on it
LAW = f"gaussian:{WEIGHT_STD:g}"
V, PAPER_2, K_EFF, CORRECTED_3, PRINTED_3 = (
    "Theorem V",
    "Theorem 5.2",
    "K_eff",
    "5.3 corrected",
    "5.3 as printed",
)
MIXTURE = "χ² mixture"
_COLOURS = {  # Okabe and Ito's, legible to the colour-blind
    V: "#0072B2",
    PAPER_2: "#D55E00",
    K_EFF: "#009E73",
    MIXTURE: "#CC79A7",
    CORRECTED_3: "#E69F00",
    PRINTED_3: "#D55E00",
}
_LABELS = {PAPER_2: "Theorem 5.2 (paper)", K_EFF: "with $K_\\mathrm{eff}$", V: "Theorem V (ours)"}


@dataclass(frozen=True)
class Bound:
    """A bound of the (1 − δ) quantile of sin Θ over the width, and how many networks exceed it.

    `proved` is False where the network violates a condition of the statement.
    """

    values: list[float] = field(default_factory=list)
    exceeded: list[int] = field(default_factory=list)
    proved: bool = True


@dataclass(frozen=True)
class AngleCurves:
    """Angles to the limit over the width: measured quantiles, and what is said of them.

    Bounds hold with probability 1 − δ; predictions are of the measured (1 − δ) quantile itself, and
    may fall on either side of it. `exponent` is that of the root mean square of sin Θ.

    Besides the angle: `scales`, at each width f·f*/‖f*‖² over networks, which tends to 1, and
    `distances`, the root mean square of ‖f − f*‖/‖f*‖, with an exponent of their own.
    """

    title: str
    widths: tuple[int, ...]
    num_networks: int
    delta: float
    measured: dict[float, list[float]]  # probability → quantile of sin Θ at each width
    bounds: dict[str, Bound]
    predictions: dict[str, list[float]]
    exponent: Interval
    scales: list[Interval]
    distances: list[float]
    distance_exponent: Interval

    @property
    def top(self) -> list[float]:
        """The measured (1 − δ) quantile at each width."""
        return self.measured[1 - self.delta]


def two_layers() -> Description:
    """Theorem 5.2's network: one convolution and the channel mean."""
    return Description("two layers", (Conv("conv", 1), ChannelMean())).with_normalisation()


def conv1(unpool: UnpoolKind) -> Description:
    """Conv1-DeConv1 with l2 pooling and the channel mean."""
    encoder = vgg16().cut("conv1", pooled=True).with_pool("l2")
    return (encoder + encoder.mirror(unpool)).with_mean_head().with_normalisation()


def centre(image: Float[Tensor, "N C H W"], side: int) -> Float[Tensor, "N C side side"]:
    """The central side × side pixels.

    Raises:
        ValueError: the image is smaller.
    """
    height, width = image.shape[-2:]
    if min(height, width) < side:
        raise ValueError(f"`image` must be at least {side}×{side}, got {height}×{width}.")
    top, left = (height - side) // 2, (width - side) // 2
    return image[..., top : top + side, left : left + side]


@torch.no_grad()
def network_outputs(
    description: Description,
    image: Tensor,
    num_networks: int,
    law: str,
    seed: int,
    on_network: Callable[[], object] = lambda: None,
) -> Float[Tensor, "num_networks pixels"]:
    """Outputs of networks 0, 1, … of a seed, one row each; float64.

    Args:
        on_network: called after each, for a progress bar.
    """
    draws = []
    for index in range(num_networks):
        # float32 is enough for an output's noise of per cents, and twice as fast.
        draws.append(build(description, law, seed=seed, network_number=index)(image.float()))
        on_network()
    return torch.stack(draws).flatten(1).double()


def sines(
    f: Float[Tensor, "num_networks pixels"], f_star: Tensor
) -> Float[Tensor, " num_networks"]:
    """sin of the angle of each row to the limit."""
    unit = f_star.flatten() / f_star.norm()
    along = f @ unit
    across = f - along[:, None] * unit
    ratio: Tensor = torch.linalg.norm(across, dim=1) / torch.linalg.norm(f, dim=1)
    return ratio


def angle_curves(
    title: str,
    description: Description,
    image: Float[Tensor, "N 3 H W"],
    widths: tuple[int, ...],
    num_networks: int,
    delta: float,
    seed: int,
) -> AngleCurves:
    """sin Θ of many networks at each width, beside every bound and prediction for them."""
    measured: dict[float, list[float]] = {p: [] for p in (0.05, 0.5, 1 - delta)}
    bounds: dict[str, Bound] = {}
    predictions: dict[str, list[float]] = {}
    angles, distances, scales = [], [], []
    f_star = limit(description, image, LAW)
    for width in widths:
        net = description.with_width(width)
        outputs = network_outputs(net, image, num_networks, LAW, seed)
        sample = sines(outputs, f_star)
        for p, values in measured.items():
            values.append(float(sample.quantile(p)))
        angles.append(sample.square())
        distances.append(_squared_distances(outputs, f_star))
        scales.append(mean_interval(_scales(outputs, f_star).tolist()))
        for name, (value, proved) in _bounds(net, image, delta).items():
            bound = bounds.setdefault(name, Bound(proved=proved))
            bound.values.append(value)
            bound.exceeded.append(int((sample > value).sum()))
        for name, value in _predictions(net, image, delta).items():
            predictions.setdefault(name, []).append(value)
    return AngleCurves(
        title,
        widths,
        num_networks,
        delta,
        measured,
        bounds,
        predictions,
        _exponent(widths, angles),
        scales,
        [float(squares.mean()) ** 0.5 for squares in distances],
        _exponent(widths, distances),
    )


def _scales(f: Float[Tensor, "num_networks pixels"], f_star: Tensor) -> Tensor:
    """f·f*/‖f*‖² of each row."""
    return f @ f_star.flatten() / f_star.square().sum()


def _squared_distances(f: Float[Tensor, "num_networks pixels"], f_star: Tensor) -> Tensor:
    """‖f − f*‖²/‖f*‖² of each row."""
    return (f - f_star.flatten()).square().sum(1) / f_star.square().sum()


def _bounds(net: Description, image: Tensor, delta: float) -> dict[str, tuple[float, bool]]:
    """By name: bounds of the (1 − δ) quantile of sin Θ, and whether they are proved for the net."""
    found = {V: (angle_bound(net, delta), True)}
    if len(net.convs) == 1:
        found[PAPER_2] = (two_layer_angle_bound(net.convs[0].out_channels, delta), True)
        found[K_EFF] = (sharper_angle_bound(two_layer(net, image), delta), True)
    else:
        for name, printed in ((CORRECTED_3, False), (PRINTED_3, True)):
            item = multilayer_angle_bound(net, image, delta, printed=printed)
            found[name] = (item.bound, item.within_conditions)
    return found


def _predictions(net: Description, image: Tensor, delta: float) -> dict[str, float]:
    """By name: what the (1 − δ) quantile of sin Θ should be, to leading order in the width."""
    if len(net.convs) > 1:
        return {}
    return {MIXTURE: two_layer(net, image).predicted_angle_quantile(1 - delta)}


def _exponent(widths: Sequence[int], squares: Sequence[Tensor]) -> Interval:
    """Of the root mean square over networks, as a power of the width."""
    num_networks = len(squares[0])
    x = np.log(widths)
    y = np.array([math.log(float(s.mean())) / 2 for s in squares])
    errors = np.array([float(s.std() / s.mean()) / 2 / num_networks**0.5 for s in squares])
    return _slope(x, y, errors, num_networks)


def _slope(x: np.ndarray, y: np.ndarray, errors: np.ndarray, num_networks: int) -> Interval:
    """The slope of a weighted straight line through points of known error."""
    weights = 1 / errors**2
    centred = x - (weights * x).sum() / weights.sum()
    information = (weights * centred**2).sum()
    mean = float((weights * centred * y).sum() / information)
    degrees = float(len(x) * (num_networks - 1))
    return Interval(mean, float(information**-0.5), num_networks, degrees)


def draw_angles(*curves: AngleCurves) -> Figure:
    """sin Θ over the width, a panel for each network: measured quantiles, predictions, bounds."""
    figure = Figure(figsize=(5.4 * len(curves), 4.6), layout="constrained")
    for axis, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        _draw_measured(axis, curve)
        for name, bound in curve.bounds.items():
            note = "" if bound.proved else " (outside its conditions)"
            _draw_line(axis, curve, name, bound.values, "-" if bound.proved else ":", note)
        for name, values in curve.predictions.items():
            _draw_line(axis, curve, name, values, "--", " (prediction)")
        axis.axhspan(1, 30, color="0.93", lw=0, zorder=0)
        axis.text(curve.widths[-1], 20, "vacuous: sin Θ ≤ 1 always", ha="right", fontsize=8)
        low = min(curve.measured[0.05])
        axis.set(xscale="log", yscale="log", ylim=(low / 12, 30))
        axis.set_xticks(curve.widths, [str(w) for w in curve.widths])
        axis.minorticks_off()
        axis.set_xlabel("width N (channels per layer)")
        axis.set_title(f"{curve.title}: exponent {curve.exponent:.2f}", fontsize=10)
        axis.legend(fontsize=7, loc="lower left")
        axis.spines[["top", "right"]].set_visible(False)
    delta = curves[0].delta
    figure.supylabel(f"sin of the angle to the limit (bounds: probability {1 - delta:.2f})")
    return figure


def _draw_measured(axis: Axes, curve: AngleCurves) -> None:
    low, middle, high = curve.measured.values()
    top = f"{100 * (1 - curve.delta):.0f} %"
    label = f"measured: median, 5 % to {top}, {curve.num_networks} networks"
    axis.fill_between(curve.widths, low, high, color="0.8", lw=0)
    axis.plot(curve.widths, middle, "o-", color="black", ms=3, label=label)


def _draw_line(
    axis: Axes, curve: AngleCurves, name: str, values: list[float], style: str, note: str
) -> None:
    label = _LABELS.get(name, name) + note
    axis.plot(curve.widths, values, style, color=_COLOURS[name], label=label)
