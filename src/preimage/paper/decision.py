"""What an interval decides about a statement, and how many values it would take to decide."""

from dataclasses import dataclass
from math import ceil, isfinite, log, log1p
from typing import Literal

from preimage.scores.statistics import Interval, Ratio, share_limits


@dataclass(frozen=True)
class Decision:
    """True or False where the numbers decide; None where they do not.

    `needed` is about how many independent values (networks or photos) would decide: the half-width
    shrinks with the square root of their number.
    """

    holds: bool | None
    needed: int | None = None

    @property
    def verdict(self) -> Literal["holds", "fails", "not decided"]:
        """The word for it."""
        return "not decided" if self.holds is None else "holds" if self.holds else "fails"


def is_above(interval: Interval, level: float = 0.0) -> Decision:
    """Whether the mean is above `level`: the 95 % interval lies on one side of it."""
    distance = abs(interval.mean - level)
    if distance > interval.half_width:
        return Decision(interval.mean > level)
    return Decision(None, _needed(interval, distance))


def is_below(interval: Interval, level: float = 0.0) -> Decision:
    """Whether the mean is below `level`."""
    return opposite(is_above(interval, level))


def is_within(interval: Interval, margin: float) -> Decision:
    """Whether the mean is within ± `margin`, which was named beforehand."""
    holds = interval.within(margin)
    if holds is not None:
        return Decision(holds)
    return Decision(None, _needed(interval, abs(margin - abs(interval.mean))))


def is_below_one(ratio: Ratio) -> Decision:
    """Whether a ratio is below 1: its 95 % interval lies on one side."""
    return Decision(True if ratio.high < 1 else False if ratio.low > 1 else None)


def is_rare(count: int, n: int, probability: float) -> Decision:
    """Whether something seen `count` times in `n` draws has at most this probability.

    By Clopper and Pearson's limits, one-sided at 95 %: with none seen, n ≥ 59 draws decide that the
    probability is at most 0.05.
    """
    low, high = share_limits(count, n)
    if low > probability:
        return Decision(False)
    if high <= probability:
        return Decision(True)
    if count or not probability:
        return Decision(None)
    return Decision(None, ceil(log(0.05) / log1p(-probability)))


def opposite(decision: Decision) -> Decision:
    """Of the contrary statement."""
    return Decision(None if decision.holds is None else not decision.holds, decision.needed)


def all_of(*decisions: Decision) -> Decision:
    """Of statements that the paper makes together: one that fails is enough to fail."""
    if any(decision.holds is False for decision in decisions):
        return Decision(False)
    if all(decision.holds for decision in decisions):
        return Decision(True)
    needed = [decision.needed for decision in decisions if decision.holds is None]
    return Decision(None, None if None in needed else max(n for n in needed if n is not None))


def _needed(interval: Interval, distance: float) -> int | None:
    if not distance or not isfinite(interval.half_width):
        return None
    needed = interval.n * (interval.half_width / distance) ** 2
    return ceil(needed) if needed < 1e6 else None
