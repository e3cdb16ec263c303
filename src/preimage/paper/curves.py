"""A score against one word of the config, over random networks: slopes and their intervals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, log2, sqrt
from statistics import fmean
from typing import Any

from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.run import Results

Position = Callable[[Any], float]


@dataclass(frozen=True)
class Curve:
    """`values[x][network]`: a score's average over the photos, at x, of the network of a number."""

    label: str
    values: dict[Any, dict[int, float]]

    def summary(self, x: Any) -> Interval:
        """The mean over the networks at x."""
        return mean_interval(list(self.values[x].values()))

    @property
    def num_networks(self) -> list[int]:
        """Networks at each x."""
        return [len(networks) for networks in self.values.values()]


def curve(
    results: Results,
    label: str,
    x: str,
    words: Mapping[str, Any],
    metric: str,
    absolute: bool = False,
) -> Curve:
    """The curve over the field `x`, of the finished cells whose config has these words."""
    values: dict[Any, dict[int, float]] = {}
    for config in results.cells:
        average = results.average(config, metric, absolute)
        if average is not None and all(getattr(config, k) == v for k, v in words.items()):
            values.setdefault(getattr(config, x), {})[config.network_number] = average
    return Curve(label, values)


def slope(curve: Curve, position: Position = log2) -> Interval:
    """The least-squares slope of the means over `position(x)`, with its 95 % interval.

    Per doubling of x with the default position. Networks are independent of each other, but
    network 7 at one x may have weights in common with network 7 at another; so its residuals count
    together (cluster-robust variance, t with one degree less than networks). With the same networks
    at every x this is the t interval of the networks' own slopes.
    """
    return _with_interval(*_influences(curve, position))


def slope_difference(curve: Curve, other: Curve, position: Position = log2) -> Interval:
    """Of two slopes, paired: network 7 of one curve against network 7 of the other."""
    slope_here, here = _influences(curve, position)
    slope_there, there = _influences(other, position)
    numbers = here.keys() | there.keys()
    influences = {number: here.get(number, 0.0) - there.get(number, 0.0) for number in numbers}
    return _with_interval(slope_here - slope_there, influences)


def _influences(curve: Curve, position: Position) -> tuple[float, dict[int, float]]:
    """The slope, and what each network adds to its error."""
    positions = {x: position(x) for x in curve.values}
    centre = fmean(positions.values())
    spread = sum((p - centre) ** 2 for p in positions.values())
    if spread == 0:
        raise ValueError(f"{curve.label}: a slope needs at least two points.")
    total, influences = 0.0, dict[int, float]()
    for x, networks in curve.values.items():
        mean = fmean(networks.values())
        weight = (positions[x] - centre) / spread
        total += weight * mean
        for number, value in networks.items():
            share = weight * (value - mean) / len(networks)
            influences[number] = influences.get(number, 0.0) + share
    return total, influences


def _with_interval(estimate: float, influences: Mapping[int, float]) -> Interval:
    n = len(influences)
    if n < 2:
        return Interval(estimate, inf, n)
    variance = n / (n - 1) * sum(influence**2 for influence in influences.values())
    return Interval(estimate, sqrt(variance), n)
