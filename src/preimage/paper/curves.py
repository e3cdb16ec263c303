"""A score against one option of the config, over random networks: slopes and their intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, hypot, inf, log, log2, sqrt
from statistics import fmean, stdev
from typing import Any

from preimage.scores.statistics import Interval, Ratio, mean_interval, paired_difference, std_ratio
from preimage.sweeps.run import Results

Position = Callable[[Any], float]
#: Points of fewer networks are drawn, and no verdict rests on them: a sweep that was stopped has
#: one or two of its widest networks, which say next to nothing of their own error.
ENOUGH = 5


@dataclass(frozen=True)
class Curve:
    """`values[x][network]`: a score's average over the photos, at x, of the network of a number."""

    label: str
    values: dict[Any, dict[int, float]]

    def interval(self, x: Any) -> Interval:
        """The mean over the networks at x."""
        return mean_interval(list(self.values[x].values()))

    @property
    def judged(self) -> "Curve":
        """The points of at least five networks, or as many as any has; all where one is left."""
        enough = min(ENOUGH, max(self.num_networks))
        kept = {x: networks for x, networks in self.values.items() if len(networks) >= enough}
        return Curve(self.label, kept) if len(kept) > 1 else self

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
    """Of two samples that share their networks: the ratio of their relative deviations.

    The interval of Pitman and Morgan for the deviations, widened by the error of the two means,
    which are independent of them for normal values.
    """
    if len(values) < 2:
        return Ratio(1.0, 0.0, inf, len(values))
    here, there = ([value / fmean(sample) for value in sample] for sample in (values, others))
    of_deviations, of_means = std_ratio(here, there), paired_difference(here, there)
    if not 0 < of_deviations.value <= of_deviations.high < inf:
        return of_deviations
    value = of_deviations.value
    wider = exp(hypot(log(of_deviations.high / value), of_means.half_width))
    return Ratio(value, value / wider, value * wider, of_deviations.n)


def slope(curve: Curve, position: Position = log2) -> Interval:
    """The least-squares slope of the means over `position(x)`, with its 95 % interval.

    Per doubling of x with the default position. Networks are independent of each other, but
    network 7 at one x may have weights in common with network 7 at another; so its residuals count
    together (cluster-robust variance). With the same networks at every x this is the t interval of
    the networks' own slopes; where points have different numbers of networks, the degrees are
    Satterthwaite's, and those of as many as there are in all at the most. A point of a single
    network says nothing of its error: then nothing is decided.
    """
    return _slope(curve, position).interval


def slope_difference(curve: Curve, other: Curve, position: Position = log2) -> Interval:
    """Of two slopes, paired: network 7 of one curve against network 7 of the other."""
    here, there = _slope(curve, position), _slope(other, position)
    numbers = here.influences.keys() | there.influences.keys()
    influences = {n: here.influences.get(n, 0.0) - there.influences.get(n, 0.0) for n in numbers}
    points = [*here.points, *there.points]
    return _Slope(here.value - there.value, influences, points).interval


@dataclass(frozen=True)
class _Slope:
    """A slope and its error: what each network adds to it, and what each point does.

    Args:
        points: of each, the variance that its networks alone would give, and their number.
    """

    value: float
    influences: Mapping[int, float]
    points: Sequence[tuple[float, int]]

    @property
    def interval(self) -> Interval:
        n = len(self.influences)
        if min(networks for _, networks in self.points) < 2:
            return Interval(self.value, inf, n)
        stderr = sqrt(sum(influence**2 for influence in self.influences.values()))
        together = sum(part for part, _ in self.points)
        squares = sum(part**2 / (networks - 1) for part, networks in self.points)
        degrees = min(n - 1.0, together**2 / squares) if squares else None
        return Interval(self.value, stderr, n, degrees)


def _slope(curve: Curve, position: Position) -> _Slope:
    positions = {x: position(x) for x in curve.values}
    centre = fmean(positions.values())
    spread = sum((p - centre) ** 2 for p in positions.values())
    if spread == 0:
        raise ValueError(f"{curve.label}: a slope needs at least two points.")
    total, influences, points = 0.0, dict[int, float](), list[tuple[float, int]]()
    for x, networks in curve.values.items():
        mean, count = fmean(networks.values()), len(networks)
        weight = (positions[x] - centre) / spread
        total += weight * mean
        unbiased = sqrt(count / (count - 1)) if count > 1 else 0.0
        shares = {n: unbiased * weight * (v - mean) / count for n, v in networks.items()}
        points.append((sum(share**2 for share in shares.values()), count))
        for number, share in shares.items():
            influences[number] = influences.get(number, 0.0) + share
    return _Slope(total, influences, points)
