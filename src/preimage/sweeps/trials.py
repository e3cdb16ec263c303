"""Trials: one draw of all weights, seen by every photo; then means and deviations over trials."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt
from statistics import fmean, stdev, variance

from scipy.stats import t as student_t

from preimage.data.photo import Photo
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.pair import RandomPair, Reconstruction


@dataclass(frozen=True)
class Trial:
    """One random network (`config.network_number`) and what it made of each photo."""

    config: ReconstructConfig
    reconstructions: list[Reconstruction]

    def mean(self, metric: str, absolute: bool = False) -> float:
        """The average of a score over the photos, or of its absolute value."""
        values = (getattr(result, metric) for result in self.reconstructions)
        return fmean(abs(value) if absolute else value for value in values)


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation of the per-network averages, over `networks`."""

    mean: float
    std: float
    networks: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.std:.3f}"


@dataclass(frozen=True)
class Difference:
    """A difference of means over networks and the half-width of its 95 % t interval."""

    mean: float
    half_width: float

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ± {self.half_width:.2f}".replace("-", "−")

    @property
    def sign(self) -> int:
        """1 or −1 where the interval lies on one side of 0, else 0."""
        return (self.mean > self.half_width) - (self.mean < -self.half_width)


def by_encoder(configs: Iterable[ReconstructConfig]) -> list[list[ReconstructConfig]]:
    """The configs in groups that share a random CNN, in order of appearance."""
    groups: dict[ReconstructConfig, list[ReconstructConfig]] = defaultdict(list)
    for config in configs:
        groups[replace(config, unpool="zeros", head="conv")].append(config)
    return list(groups.values())


def run_trials(configs: Iterable[ReconstructConfig], photos: Sequence[Photo]) -> Iterator[Trial]:
    """A trial for each config, computing the CNN once for those that share it.

    Raises:
        ValueError: a word does not fit, or a photo is too small.
    """
    for group in by_encoder(configs):
        pair = RandomPair(*group)
        for config, results in zip(group, pair.each(photos), strict=True):
            yield Trial(config, results)


def summarise(trials: Sequence[Trial], metric: str, absolute: bool = False) -> Summary:
    """Mean and standard deviation over networks of a score's average over photos."""
    return summary([trial.mean(metric, absolute) for trial in trials])


def summary(values: Sequence[float]) -> Summary:
    """Mean and sample standard deviation of one value a network."""
    return Summary(fmean(values), stdev(values) if len(values) > 1 else 0.0, len(values))


def paired_difference(values: Sequence[float], others: Sequence[float]) -> Difference:
    """Of `values` minus `others`, entry by entry: network 7 against network 7.

    With fewer than two pairs the half-width is infinite: nothing is decided.
    """
    differences = [a - b for a, b in zip(values, others, strict=True)]
    n = len(differences)
    if n < 2:
        return Difference(fmean(differences), inf)
    quantile = float(student_t.ppf(0.975, n - 1))
    return Difference(fmean(differences), quantile * stdev(differences) / sqrt(n))


def difference(values: Sequence[float], others: Sequence[float]) -> Difference:
    """Of the mean of `values` minus that of `others`, unpaired, by Welch's interval.

    With fewer than two of either the half-width is infinite: nothing is decided.
    """
    mean = fmean(values) - fmean(others)
    if min(len(values), len(others)) < 2:
        return Difference(mean, inf)
    parts = [variance(sample) / len(sample) for sample in (values, others)]
    if not sum(parts):
        return Difference(mean, 0.0)
    degrees = sum(parts) ** 2 / sum(
        part**2 / (len(sample) - 1) for part, sample in zip(parts, (values, others), strict=True)
    )
    return Difference(mean, float(student_t.ppf(0.975, degrees)) * sqrt(sum(parts)))
