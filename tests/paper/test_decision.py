"""Against SciPy's tests, by simulation, and at the corners."""

import numpy as np
import pytest
from scipy import stats

from preimage.paper.decision import (
    LEVEL,
    Decision,
    all_of,
    is_above,
    is_below,
    is_below_one,
    is_rare,
    is_within,
    opposite,
    together,
)
from preimage.scores.statistics import (
    Interval,
    Ratio,
    difference,
    mean_interval,
    paired_difference,
    std_ratio,
)


def interval(row: np.ndarray) -> Interval:
    """As `mean_interval`, which is exact to the last bit and takes its time."""
    return Interval(float(row.mean()), float(row.std(ddof=1)) / len(row) ** 0.5, len(row))


YES, NO, OPEN = Decision(0.001, 1.0), Decision(1.0, 0.001), Decision(0.3, 0.7)


def test_an_interval_on_one_side_decides() -> None:
    up, down, across = (mean_interval([x - 0.1, x, x + 0.1]) for x in (1.0, -1.0, 0.1))
    assert [is_above(i).holds for i in (up, down, across)] == [True, False, None]
    assert [is_below(i).holds for i in (up, down, across)] == [False, True, None]
    assert is_above(up, level=2.0).holds is False
    assert is_below(Interval(-0.5, 0.02, 60), -0.25).holds is True
    assert is_above(mean_interval([0.3])).holds is None  # one value tells nothing of the noise
    assert is_above(Interval(0.1, 0.0, 5)).holds is True
    assert is_above(Interval(0.0, 0.0, 5)).holds is None


def test_so_little_does_not_count() -> None:
    """0.008 ± 0.009 is not shown to be above 0, but to be below 0.02; 0.03 is above both."""
    little = Interval(0.008, 0.0045, 120)
    assert is_above(little).holds is None
    assert is_above(little, 0.02).holds is False
    assert is_above(Interval(0.03, 0.004, 120), 0.02).holds is True
    # Above 0, though not by what counts.
    assert is_above(Interval(0.012, 0.002, 120), 0.02).holds is False


def test_p_values_are_scipys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 1, 9), rng.normal(0, 2, 9)
    paired = is_above(paired_difference(list(a), list(b)), 0.1)
    expected = stats.ttest_1samp(a - b, 0.1, alternative="greater").pvalue
    assert (paired.supports, paired.opposes) == pytest.approx((expected, 1 - expected))
    welch = is_below(difference(list(a), list(b)))
    expected = stats.ttest_ind(a, b, equal_var=False, alternative="less").pvalue
    assert (welch.supports, welch.opposes) == pytest.approx((expected, 1 - expected))


@pytest.mark.parametrize("margin", [0.05, 0.3, 0.6, 0.9, 1.2, 1.5])
def test_within_is_scipys_equivalence_test(margin: float) -> None:
    """Two one-sided t tests, each at 2.5 %: against −margin and against +margin."""
    values = np.random.default_rng(4).normal(0.5, 1, 15)

    def p(of: float, alternative: str) -> float:
        return float(stats.ttest_1samp(values, of, alternative=alternative).pvalue)

    decision = is_within(mean_interval(list(values)), margin)
    assert decision.supports == pytest.approx(max(p(-margin, "greater"), p(margin, "less")))
    assert decision.opposes == pytest.approx(min(p(-margin, "less"), p(margin, "greater")))


def test_every_answer_of_the_equivalence_test_was_seen() -> None:
    values = mean_interval(list(np.random.default_rng(4).normal(2, 1, 15)))
    assert [is_within(values, margin).holds for margin in (0.5, 2.0, 4.0)] == [False, None, True]
    assert opposite(is_within(values, 0.5)).holds is True


def test_so_many_decide_four_times_out_of_five() -> None:
    """Drawn again with as many values as `needed` says, from what was measured."""
    rng = np.random.default_rng(1)
    for judge in (is_above, lambda found: is_within(found, 0.9)):
        pilot = mean_interval([-0.8, 1.9, 0.4, -0.6, 1.1])
        needed = judge(pilot).needed
        assert needed is not None
        draws = rng.normal(pilot.mean, pilot.std, (600, needed))
        decided = np.mean([judge(interval(row)).holds is True for row in draws])
        assert decided == pytest.approx(0.8, abs=0.05)  # three standard errors
    assert is_above(mean_interval([0.3])).needed is None
    assert is_above(Interval(1e-6, 1.0, 5)).needed is None  # more than anyone will draw


def test_statements_made_together() -> None:
    assert all_of(YES, YES).holds is True
    assert all_of(YES, NO, OPEN).holds is False
    assert all_of(YES, OPEN).holds is None
    barely = Decision(1.0, 0.02)
    assert barely.holds is False
    assert all_of(barely, OPEN).holds is None  # the clearer of two errs twice as often
    needs = [Decision(1.0, 1.0, needed_at=lambda level, n=n: n) for n in (40, 90)]
    assert all_of(YES, *needs).needed == 90
    assert all_of(OPEN, *needs).needed is None
    # One that points the other way decides alone, at its share of the level.
    against = Decision(0.9, 0.1, needed_at=lambda level: round(1 / level))
    assert all_of(YES, *needs, against).needed == 4 / 0.025


@pytest.mark.parametrize("mean", [1.8, 2.2, 2.4, 4.0])
@pytest.mark.parametrize("n", [2, 3])
def test_more_are_needed_than_there_were(mean: float, n: int) -> None:
    found = is_above(Interval(mean, 1 / n**0.5, n))
    assert found.needed is None or found.needed > n
    assert (found.needed is None) == (found.holds is not None)


def test_of_two_samples_as_many_of_each_kind() -> None:
    found = is_above(difference([1.0, 3.0, 2.0], [0.0, 2.5, 1.5]))
    assert (found.samples, found.values) == (2, 6)
    assert all_of(YES, found).samples == 2
    assert opposite(YES).holds is False


def test_a_figures_statements_are_corrected_together() -> None:
    """Holm's levels, by hand: 0.025/3, 0.025/2, 0.025."""
    found = together([Decision(0.02, 1.0), Decision(1.0, 0.008), Decision(0.012, 1.0)])
    assert [decision.level for decision in found] == [LEVEL, LEVEL / 3, LEVEL / 2]
    assert [decision.holds for decision in found] == [True, False, True]
    # Behind the first that is not decided, none is, though 0.02 alone would be.
    found = together([Decision(0.02, 1.0), Decision(1.0, 0.008), Decision(0.013, 1.0)])
    assert [decision.holds for decision in found] == [None, False, None]
    assert [decision.level for decision in together([YES, Decision.fact(True)])] == [
        LEVEL,
        LEVEL / 2,
    ]


def test_one_family_in_twenty_holds_an_error() -> None:
    """Five true nulls a family, two-sided: Holm errs in 5 % of families, single tests in 23 %."""
    rng = np.random.default_rng(2)
    families = rng.normal(0, 1, (400, 5, 6))
    alone = corrected = 0
    for family in families:
        decisions = [is_above(interval(row)) for row in family]
        alone += any(d.holds is not None for d in decisions)
        corrected += any(d.holds is not None for d in together(decisions))
    assert corrected / len(families) == pytest.approx(0.05, abs=0.033)  # three standard errors
    assert alone / len(families) == pytest.approx(1 - 0.95**5, abs=0.063)


def test_a_ratio_below_one_is_pitmans_test() -> None:
    rng = np.random.default_rng(5)
    b = rng.normal(0, 1, 12)
    a = 0.6 * b + rng.normal(0, 0.3, 12)
    decision = is_below_one(std_ratio(list(a), list(b)))
    expected = stats.pearsonr(a + b, a - b, alternative="less").pvalue
    assert decision.supports == pytest.approx(expected)
    assert decision.opposes == pytest.approx(1 - expected)
    assert is_below_one(std_ratio(list(b), list(a))).opposes == pytest.approx(expected)


def test_a_ratio_decides_as_its_interval_does() -> None:
    k = 1.5
    for value, word in ((0.5, "holds"), (2.0, "fails"), (0.9, "not decided")):
        assert is_below_one(Ratio(value, value / k, value * k, 9)).verdict == word
    at_the_edge = is_below_one(Ratio(1 / k, 1 / k**2, 1.0, 9))
    assert at_the_edge.supports == pytest.approx(LEVEL)
    assert is_below_one(Ratio(1.0, 0.0, float("inf"), 2)).holds is None


@pytest.mark.parametrize("count", [0, 3, 12])
def test_rare_is_the_binomial_test(count: int) -> None:
    decision = is_rare(count, 60, 0.05)
    expected = [stats.binomtest(count, 60, 0.05, side).pvalue for side in ("less", "greater")]
    assert [decision.supports, decision.opposes] == pytest.approx(expected)


def test_seventy_two_networks_decide_five_per_cent() -> None:
    assert is_rare(0, 72, 0.05).holds is True
    assert is_rare(0, 71, 0.05).holds is None
    assert is_rare(0, 71, 0.05).needed == 72
    assert is_rare(1, 71, 0.05).needed is None
