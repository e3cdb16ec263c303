"""Means, their 95 % intervals, and what an interval decides: all the statistics there are.

Independent values are networks (draws of all weights) for statements about networks, photos for
statements about photos. A comparison of two samples that share their networks is paired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import correlation, fmean, stdev, variance

from scipy import special  # not scipy.stats, which takes half a second to import


@dataclass(frozen=True)
class Interval:
    """A mean, its standard error, and the number of independent values behind it.

    `f"{interval:.2f}"` is "0.93 ± 0.02", the mean and the half-width of its 95 % t interval;
    `spread(".2f")` is the mean and the standard deviation of the values. A sign in the format is
    the mean's alone.

    Args:
        n: independent values; of both samples together for an unpaired difference.
        degrees: degrees of freedom of the t distribution; n − 1 if not given.
        samples: how many samples the values are of: two for an unpaired difference.
    """

    mean: float
    stderr: float
    n: int
    degrees: float | None = None
    samples: int = 1

    @property
    def half_width(self) -> float:
        """Half of the 95 % t interval; infinite for a single value."""
        if self.n < 2:
            return inf
        return t_quantile(0.975, self.freedom) * self.stderr

    @property
    def freedom(self) -> float:
        """Degrees of freedom of its t distribution."""
        return float(self.n - 1) if self.degrees is None else self.degrees

    @property
    def std(self) -> float:
        """Sample standard deviation of the values; 0 for a single one."""
        return self.stderr * sqrt(self.n) if self.n > 1 else 0.0

    @property
    def sign(self) -> int:
        """1 or −1 where the interval lies on one side of 0, else 0."""
        return (self.mean > self.half_width) - (self.mean < -self.half_width)

    def __format__(self, spec: str) -> str:
        spec = spec or ".2f"
        half_width = "" if self.half_width == inf else f" ± {self.half_width:{spec.lstrip('+')}}"
        return _with_minus(f"{self.mean:{spec}}{half_width}")

    def __str__(self) -> str:
        return format(self, "")

    def spread(self, spec: str = ".3f") -> str:
        """Mean ± standard deviation of the values."""
        return _with_minus(f"{self.mean:{spec}} ± {self.std:{spec.lstrip('+')}}")


def t_quantile(probability: float, degrees: int | float) -> float:
    """The quantile of Student's t distribution with so many degrees of freedom, whole or not."""
    return float(special.stdtrit(degrees, probability))


def mean_interval(values: Sequence[float]) -> Interval:
    """The mean of independent values.

    Raises:
        ValueError: there is none.
    """
    n = len(values)
    if not n:
        raise ValueError("there are no values to average.")
    return Interval(fmean(values), stdev(values) / sqrt(n) if n > 1 else inf, n)


def paired_difference(values: Sequence[float], others: Sequence[float]) -> Interval:
    """The mean of `values` minus `others`, entry by entry: network 7 against network 7.

    Raises:
        ValueError: they are not equally many, or there are none.
    """
    return mean_interval([a - b for a, b in zip(values, others, strict=True)])


def difference(values: Sequence[float], others: Sequence[float]) -> Interval:
    """The mean of `values` minus that of `others`, which share nothing: Welch's interval.

    With fewer than two values in either the half-width is infinite: nothing is decided.

    Raises:
        ValueError: one of them is empty.
    """
    return contrast([values], [others])


def contrast(plus: Sequence[Sequence[float]], minus: Sequence[Sequence[float]]) -> Interval:
    """The means of some samples, minus those of others; no two samples share a value.

    `difference` for more than two: Welch's interval, with Satterthwaite's degrees of freedom. With
    fewer than two values in a sample the half-width is infinite.

    Raises:
        ValueError: one of them is empty.
    """
    samples = [*plus, *minus]
    if not all(samples):
        raise ValueError("there are no values to average.")
    n, count = sum(map(len, samples)), len(samples)
    mean = sum(map(fmean, plus)) - sum(map(fmean, minus))
    if min(map(len, samples)) < 2:
        return Interval(mean, inf, n, samples=count)
    parts = [variance(sample) / len(sample) for sample in samples]
    if not sum(parts):
        return Interval(mean, 0.0, n, samples=count)
    degrees = sum(parts) ** 2 / sum(
        part**2 / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True)
    )
    return Interval(mean, sqrt(sum(parts)), n, degrees, samples=count)


@dataclass(frozen=True)
class Ratio:
    """A ratio of standard deviations and its 95 % interval, from `n` pairs."""

    value: float
    low: float
    high: float
    n: int


def std_ratio(values: Sequence[float], others: Sequence[float]) -> Ratio:
    """Of two samples that share their networks: the deviation of `values` to that of `others`.

    With φ the ratio of variances, r their correlation, and t the quantile of n − 2 degrees,

        φ (K − √(K² − 1)) … φ (K + √(K² − 1)),  K = 1 + 2 (1 − r²) t² / (n − 2)

    exact for normal values. Fewer than three pairs decide nothing: from 0 to infinity.

    Source: Morgan (1939) and Pitman (1939), Biometrika 31.

    Raises:
        ValueError: they are not equally many, fewer than two, or `others` are all equal.
    """
    n = len(values)
    if len(others) != n or n < 2:
        raise ValueError(f"two samples of equal length from 2 on, got {n} and {len(others)}.")
    if not variance(others):
        raise ValueError("`others` must not all be equal: a ratio to no deviation is undefined.")
    phi = variance(values) / variance(others)
    if n < 3 or not phi:
        return Ratio(sqrt(phi), 0.0, inf, n)
    t = t_quantile(0.975, n - 2)
    k = 1 + 2 * (1 - min(correlation(values, others) ** 2, 1.0)) * t**2 / (n - 2)
    root = sqrt(k**2 - 1)
    return Ratio(sqrt(phi), sqrt(phi / (k + root)), sqrt(phi * (k + root)), n)


def _with_minus(text: str) -> str:
    return text.replace("-", "−")
