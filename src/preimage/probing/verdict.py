"""What decides between a network and its random twins: intervals over photos and over draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from preimage.scores.statistics import Interval, t_quantile

_WORDS = {1: "training keeps more", -1: "training throws away", 0: "not decided"}


@dataclass(frozen=True)
class Verdict:
    """Trained minus twins in dB, over photos and over draws, corrected for the number of layers.

    `word` is `training keeps more` or `training throws away` where the difference is decided over
    both photos and draws, else `not decided`.
    """

    over_photos: Interval
    over_draws: Interval
    confidence: float

    @property
    def word(self) -> str:
        """The verdict in words."""
        over_photos, over_draws = (
            _sign(interval, self.confidence) for interval in (self.over_photos, self.over_draws)
        )
        return _WORDS[over_photos] if over_photos == over_draws else _WORDS[0]

    @property
    def photos_word(self) -> str:
        """The same over photos alone: of this network and these twins."""
        return _WORDS[_sign(self.over_photos, self.confidence)]


def _sign(interval: Interval, confidence: float) -> int:
    half_width = half_width_at(interval, confidence)
    return (interval.mean > half_width) - (interval.mean < -half_width)


def half_width_at(interval: Interval, confidence: float) -> float:
    """Half-width of the t interval of another confidence than 95 %."""
    if interval.n < 2:
        return float("inf")
    return t_quantile((1 + confidence) / 2, interval.freedom) * interval.stderr


def over_draws(differences: Sequence[float]) -> Interval:
    """Of one network minus each of its twins: would the network be one more draw?

    A prediction interval: the network itself would scatter like its twins, so that the standard
    error is s·√(1 + 1/n), not s/√n. A network that was never trained is called different in one
    case out of twenty.
    """
    n = len(differences)
    stderr = stdev(differences) * sqrt(1 + 1 / n) if n > 1 else float("inf")
    return Interval(fmean(differences), stderr, n)
