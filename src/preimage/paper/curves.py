"""A score against one option of the config, over random networks: slopes and their intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log2, sqrt
from statistics import fmean, stdev
from typing import Any

from preimage.scores.statistics import Interval, Ratio, mean_interval, paired_difference, std_ratio
from preimage.sweeps.run import Results

Position = Callable[[Any], float]


@dataclass(frozen=True)
class Curve:
    """`values[x][network]`: a score's average over the photos, at x, of the network of a number."""

    label: str
    values: dict[Any, dict[int, float]]

    def interval(self, x: Any) -> Interval:
        """The mean over the networks at x."""
        return mean_interval(list(self.values[x].values()))

    @property
    def num_networks(self) -> list[int]:
        """Networks at each x."""
        return [len(networks) for networks in self.values.values()]

    @property
    def networks(self) -> int | str:
        """Networks per point: one number, or the range where the points differ."""
        low, high = min(self.num_networks), max(self.num_networks)
        return low if low == high else f"{low} to {high}"


def curve(
    results: Results,
    label: str,
    x: str,
    words: Mapping[str, Any],
    metric: str,
    absolute: bool = False,
) -> Curve:
    """The curve over the field `x`, of the finished cells whose config has these values."""
    values: dict[Any, dict[int, float]] = {}
    for config in results.cells:
        average = results.average(config, metric, absolute)
        if average is not None and all(getattr(config, k) == v for k, v in words.items()):
            values.setdefault(getattr(config, x), {})[config.network_number] = average
    return Curve(label, values)


def common_values(*samples: Mapping[int, float]) -> list[list[float]]:
    """The values of each sample, of the networks that all of them have, in one order."""
    numbers: Sequence[int] = sorted(set.intersection(*(set(sample) for sample in samples)))
    return [[sample[number] for number in numbers] for sample in samples]


def paired(values: Mapping[int, float], others: Mapping[int, float]) -> Interval:
    """Of `values` minus `others`: network 7 against network 7, of the networks that both have."""
    return paired_difference(*common_values(values, others))


def over_points(curve: Curve) -> dict[int, float]:
    """The average over all x of each network that has them all."""
    samples = common_values(*curve.values.values())
    numbers = sorted(set.intersection(*(set(networks) for networks in curve.values.values())))
    return {n: sum(sample) / len(sample) for n, *sample in zip(numbers, *samples, strict=True)}


def relative_std(values: Sequence[float]) -> float:
    """The standard deviation in units of the mean; 0 of a single value."""
    return stdev(values) / fmean(values) if len(values) > 1 else 0.0


def relative_std_ratio(values: Sequence[float], others: Sequence[float]) -> Ratio:
    """Of two samples that share their networks: the ratio of their relative deviations."""
    if len(values) < 2:
        return Ratio(1.0, 0.0, inf, len(values))
    here, there = ([value / fmean(sample) for value in sample] for sample in (values, others))
    return std_ratio(here, there)


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
