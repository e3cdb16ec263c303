import pytest

from preimage.paper.decision import (
    Decision,
    all_of,
    is_above,
    is_below,
    is_below_one,
    is_rare,
    is_within,
    opposite,
)
from preimage.scores.statistics import Interval, Ratio, mean_interval, share_limits

YES, NO, OPEN = Decision(True), Decision(False), Decision(None, 40)


def test_an_interval_on_one_side_decides() -> None:
    up, down, across = (mean_interval([x - 0.1, x, x + 0.1]) for x in (1.0, -1.0, 0.1))
    assert [is_above(i).holds for i in (up, down, across)] == [True, False, None]
    assert [is_below(i).holds for i in (up, down, across)] == [False, True, None]
    assert is_above(up, level=2.0).holds is False
    assert is_below(Interval(-0.5, 0.02, 60), -0.25).holds is True


def test_how_many_would_decide() -> None:
    """Four times the values halve the interval: 0.2 ± 0.4 becomes 0.2 ± 0.2."""
    interval = mean_interval([-0.4, 0.8, 0.2, 0.0, 0.4])
    needed = is_above(interval).needed
    assert needed is not None
    assert needed == pytest.approx(5 * (interval.half_width / 0.2) ** 2, abs=1)
    assert is_above(mean_interval([0.3])).needed is None  # one value tells nothing of the noise


def test_similar_means_within_a_margin() -> None:
    assert is_within(Interval(0.02, 0.01, 30), 0.1).holds is True
    assert is_within(Interval(-0.2, 0.01, 30), 0.1).holds is False
    close = is_within(Interval(0.05, 0.1, 5), 0.1)
    assert close.holds is None
    assert close.needed == pytest.approx(5 * (Interval(0.05, 0.1, 5).half_width / 0.05) ** 2, abs=1)


def test_statements_made_together() -> None:
    assert all_of(YES, YES) == YES
    assert all_of(YES, NO, OPEN).holds is False
    assert all_of(YES, OPEN, Decision(None, 90)) == Decision(None, 90)
    assert all_of(OPEN, Decision(None)).needed is None
    assert opposite(YES) == NO
    assert opposite(OPEN) == OPEN


def test_a_ratio_below_one() -> None:
    assert is_below_one(Ratio(0.5, 0.3, 0.8, 9)).verdict == "holds"
    assert is_below_one(Ratio(2.0, 1.3, 3.0, 9)).verdict == "fails"
    assert is_below_one(Ratio(0.9, 0.5, 1.6, 9)).verdict == "not decided"


@pytest.mark.parametrize("count", [0, 3, 12])
def test_rare_is_judged_by_exact_limits(count: int) -> None:
    low, high = share_limits(count, 60)
    assert is_rare(count, 60, high).holds is True
    assert is_rare(count, 60, low * 0.99).holds is (False if count else None)
    assert is_rare(count, 60, (low + high) / 2).holds is None


def test_fifty_nine_networks_decide_five_per_cent() -> None:
    assert is_rare(0, 59, 0.05).holds is True
    assert is_rare(0, 58, 0.05) == Decision(None, 59)
