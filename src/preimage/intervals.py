"""Means with their 95 % intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev

from scipy.stats import t as student_t


@dataclass(frozen=True)
class Interval:
    """A mean over `n` values and the half-width of its 95 % t interval, infinite for one value."""

    mean: float
    half_width: float
    n: int

    def __str__(self) -> str:
        width = "" if self.half_width == inf else f" ± {self.half_width:.2f}"
        return f"{self.mean:.2f}{width}".replace("-", "−")

    @property
    def sign(self) -> int:
        """1 or −1 where the interval lies on one side of 0, else 0."""
        return (self.mean > self.half_width) - (self.mean < -self.half_width)


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean and interval of independent values.

    Raises:
        ValueError: there is none.
    """
    n = len(values)
    if not n:
        raise ValueError("there are no values to average.")
    if n == 1:
        return Interval(values[0], inf, 1)
    quantile = float(student_t.ppf(0.975, n - 1))
    return Interval(fmean(values), quantile * stdev(values) / sqrt(n), n)
