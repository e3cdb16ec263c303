"""What numbers decide about a statement, and how many values it would take to decide.

A decision is two one-sided tests: of the statement's contrary, and of the statement. "The same" is
a statement too, that of a difference within a margin named beforehand (the equivalence test of
Schuirmann, 1987). Statements that are made together are corrected together (Holm, 1979).
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, inf, isfinite, log, log1p, sqrt
from typing import Literal

from scipy import special

from preimage.scores.statistics import Interval, Ratio, t_quantile

#: What independent values are draws of.
Over = Literal["networks", "photos"]
Verdict = Literal["holds", "fails", "not decided"]
#: Of each of the two tests: together they err in one case out of twenty, as a 95 % interval does.
LEVEL = 0.025
_POWER = 0.8  # how often `needed` values would decide, if mean and spread are as measured
_MOST = 1_000_000  # values; beyond, nobody will draw them


@dataclass(frozen=True)
class Decision:
    """The evidence for and against a statement, and what it decides.

    Args:
        supports: p-value against the contrary: how often numbers would speak so clearly for the
            statement if it did not hold.
        opposes: p-value against the statement.
        level: a p-value up to this decides.
        values: independent values behind it, where there is one number of them.
        over: what they are draws of.
        samples: the values are of so many samples that are compared, without pairs.
        needed_at: by level, about how many values would decide four times out of five.
    """

    supports: float
    opposes: float
    level: float = LEVEL
    values: int | None = None
    over: Over = "networks"
    samples: int = 1
    needed_at: Callable[[float], int | None] = field(
        default=lambda level: None, compare=False, repr=False
    )

    @classmethod
    def fact(cls, holds: bool | None) -> "Decision":
        """Of what is not measured on draws; None where it can't be told."""
        return cls(0.0 if holds else 1.0, 0.0 if holds is False else 1.0)

    @property
    def holds(self) -> bool | None:
        """True or False where the numbers decide; None where they do not."""
        if self.supports <= self.level:
            return True
        return False if self.opposes <= self.level else None

    @property
    def needed(self) -> int | None:
        """About how many values would decide; None where these do, or none would."""
        return self.needed_at(self.level) if self.holds is None else None

    @property
    def verdict(self) -> Verdict:
        """The word for it."""
        return "not decided" if self.holds is None else "holds" if self.holds else "fails"


def is_above(interval: Interval, level: float = 0.0, *, over: Over = "networks") -> Decision:
    """Whether the mean is above `level`: 0, or what is too little to count, named beforehand."""
    up, down = _tails(interval, level)
    needed = _Needed(interval, [abs(interval.mean - level)])
    return _decision(up, down, interval, over, needed)


def is_below(interval: Interval, level: float = 0.0, *, over: Over = "networks") -> Decision:
    """Whether the mean is below `level`."""
    return opposite(is_above(interval, level, over=over))


def is_within(interval: Interval, margin: float, *, over: Over = "networks") -> Decision:
    """Whether the mean is within ± `margin`, which was named beforehand."""
    above_low, below_low = _tails(interval, -margin)
    above_high, below_high = _tails(interval, margin)
    near, far = abs(margin - abs(interval.mean)), margin + abs(interval.mean)
    inside = abs(interval.mean) < margin
    needed = _Needed(interval, [near, far] if inside else [near])
    supports, opposes = max(above_low, below_high), min(below_low, above_high)
    return _decision(supports, opposes, interval, over, needed)


def is_below_one(ratio: Ratio) -> Decision:
    """Whether a ratio of deviations is below 1: the test of Pitman and Morgan."""
    if not ratio.value or not 0 < ratio.low <= ratio.high < inf:
        return Decision(1.0, 1.0, values=ratio.n)
    degrees = ratio.n - 2
    # The interval's ends are φ (K ± √(K² − 1)) with K − 1 as t²: where t is such that one is 1.
    ours, at_one = (_half_sum(x) - 1 for x in ((ratio.high / ratio.value) ** 2, ratio.value**2))
    t = inf if not ours else t_quantile(0.975, degrees) * sqrt(at_one / ours)
    below, above = (float(special.stdtr(degrees, x)) for x in (-t, t))
    return Decision(*((below, above) if ratio.value < 1 else (above, below)), values=ratio.n)


def is_rare(count: int, n: int, probability: float) -> Decision:
    """Whether something seen `count` times in `n` draws has at most this probability: exactly.

    With none seen, n ≥ 72 draws decide that the probability is at most 0.05.
    """
    supports = float(special.bdtr(count, n, probability))
    opposes = float(special.bdtrc(count - 1, n, probability)) if count else 1.0
    rare = 0 < probability < 1 and not count

    def needed(level: float) -> int | None:
        return ceil(log(level) / log1p(-probability)) if rare else None

    return Decision(supports, opposes, values=n, needed_at=needed)


def opposite(decision: Decision) -> Decision:
    """Of the contrary statement."""
    return replace(decision, supports=decision.opposes, opposes=decision.supports)


def all_of(*decisions: Decision) -> Decision:
    """Of statements that the paper makes together: one that fails is enough to fail.

    All must be supported, each at the full level; that one of several is opposed is worth as much
    as their number allows (Bonferroni).
    """

    def needed(level: float) -> int | None:
        against = [d.needed_at(level / len(decisions)) for d in decisions if d.opposes < d.supports]
        if against:  # the clearest of these is enough
            return min((n for n in against if n is not None), default=None)
        numbers = [d.needed_at(level) for d in decisions if d.supports > level]
        return None if None in numbers else max((n for n in numbers if n is not None), default=None)

    values = {decision.values for decision in decisions}
    return Decision(
        max(decision.supports for decision in decisions),
        min(1.0, len(decisions) * min(decision.opposes for decision in decisions)),
        values=values.pop() if len(values) == 1 else None,
        over=decisions[0].over,
        samples=max(decision.samples for decision in decisions),
        needed_at=needed,
    )


def together(decisions: Sequence[Decision], level: float = LEVEL) -> list[Decision]:
    """The same decisions at levels at which no more than one family in twenty holds an error.

    Holm: the clearest of m is held to level/m, the next to level/(m − 1), and so on; behind the
    first that is not decided, none is.
    """
    order = sorted(range(len(decisions)), key=lambda i: _clearest(decisions[i]))
    held = dict[int, float]()
    stopped = None
    for place, index in enumerate(order):
        held[index] = level / (len(order) - place) if stopped is None else stopped
        if _clearest(decisions[index]) > held[index] and stopped is None:
            stopped = held[index]
    return [replace(decision, level=held[index]) for index, decision in enumerate(decisions)]


def _decision(
    supports: float,
    opposes: float,
    interval: Interval,
    over: Over,
    needed: Callable[[float], int | None],
) -> Decision:
    return Decision(
        supports,
        opposes,
        values=interval.n,
        over=over,
        samples=interval.samples,
        needed_at=needed,
    )


def _clearest(decision: Decision) -> float:
    return min(decision.supports, decision.opposes)


def _tails(interval: Interval, level: float) -> tuple[float, float]:
    """p-values that the mean is above the level, and below it: Student's t."""
    if interval.n < 2 or not isfinite(interval.stderr):
        return 1.0, 1.0
    distance = interval.mean - level
    if not interval.stderr:
        return float(distance <= 0), float(distance >= 0)
    t = distance / interval.stderr
    above, below = (float(special.stdtr(interval.freedom, x)) for x in (-t, t))
    return above, below


@dataclass(frozen=True)
class _Needed:
    """By level: so many values that a mean at these distances from its bounds decides.

    Of several bounds all must be kept.
    """

    interval: Interval
    distances: Sequence[float]

    def __call__(self, level: float) -> int | None:
        measured = self.interval
        if measured.n < 2 or not min(self.distances) or not 0 < measured.stderr < inf:
            return None
        numbers = range(_MOST + 1)
        found = bisect_left(numbers, True, key=lambda n: n >= 2 and self._decide(n, level))
        return found if found <= _MOST else None

    def _decide(self, n: int, level: float) -> bool:
        measured = self.interval
        quantile = t_quantile(1 - level, max(1.0, measured.freedom * n / measured.n))
        units = sqrt(n / measured.n) / measured.stderr
        missed = sum(float(special.ndtr(quantile - d * units)) for d in self.distances)
        return 1 - missed >= _POWER


def _half_sum(ratio: float) -> float:
    return (ratio + 1 / ratio) / 2
