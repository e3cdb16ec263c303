import math

import numpy as np
import pytest
from scipy import stats

from preimage.scores.statistics import (
    Interval,
    contrast,
    difference,
    mean_interval,
    paired_difference,
    std_ratio,
    t_quantile,
)


def test_mean_interval_is_scipys() -> None:
    values = np.random.default_rng(2).normal(0.3, 1, 7)
    interval = mean_interval(list(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval.mean - interval.half_width == pytest.approx(expected.low)
    assert interval.mean + interval.half_width == pytest.approx(expected.high)
    assert interval.std == pytest.approx(values.std(ddof=1))


@pytest.mark.parametrize("degrees", [1, 2, 2.37, 7, 15.5, 199])
def test_t_quantiles_are_scipys(degrees: int | float) -> None:
    assert t_quantile(0.975, degrees) == stats.t.ppf(0.975, degrees)
    low, high = stats.t.interval(0.95, degrees, loc=3.0, scale=0.5)
    interval = Interval(3.0, 0.5, 10, float(degrees))
    assert interval.mean - interval.half_width == pytest.approx(low, rel=1e-12)
    assert interval.mean + interval.half_width == pytest.approx(high, rel=1e-12)


def test_closed_forms_of_the_t_quantile() -> None:
    """tan(π(p − ½)) with one degree of freedom, (2p − 1)√(2/(4p(1 − p))) with two."""
    p = 0.975
    assert t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-12)
    two = (2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p)))
    assert t_quantile(p, 2) == pytest.approx(two, rel=1e-12)
    assert t_quantile(p, 1e9) == pytest.approx(1.959964, rel=1e-6)


def test_means_of_two_values_by_hand() -> None:
    """1 and 3: mean 2, deviation √2, standard error 1, half-width 12.706."""
    interval = mean_interval([1.0, 3.0])
    assert (interval.mean, interval.n) == (2, 2)
    assert interval.stderr == pytest.approx(1, rel=1e-15)
    assert interval.std == pytest.approx(math.sqrt(2), rel=1e-15)
    assert interval.half_width == pytest.approx(12.7062047, rel=1e-8)


def test_equal_values_leave_no_doubt() -> None:
    assert difference([1.0, 1.0], [0.5, 0.5, 0.5]) == Interval(0.5, 0.0, 5, samples=2)
    assert paired_difference([1.0, 2.0], [0.5, 1.5]).half_width == 0


def test_the_ratio_of_deviations_inverts_pitmans_test() -> None:
    """At the limit θ, a and θ·b have equal variances at 5 %: a + θb and a − θb correlate so."""
    rng = np.random.default_rng(5)
    b = rng.normal(0, 1, 12)
    a = 1.5 * b + rng.normal(0, 1, 12)
    ratio = std_ratio(list(a), list(b))
    assert ratio.value == pytest.approx(a.std(ddof=1) / b.std(ddof=1))
    for theta in (ratio.low, ratio.high):
        assert stats.pearsonr(a + theta * b, a - theta * b).pvalue == pytest.approx(0.05)
    assert ratio.low < ratio.value < ratio.high


def test_paired_interval_is_scipys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 1, 9), rng.normal(0, 1, 9)
    interval = paired_difference(list(a), list(b))
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert interval.mean - interval.half_width == pytest.approx(expected.low)
    assert interval.mean + interval.half_width == pytest.approx(expected.high)


def test_unpaired_interval_is_scipys() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.3, 1, 5), rng.normal(0, 2, 12)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    interval = difference(list(a), list(b))
    assert interval.mean == pytest.approx(a.mean() - b.mean())
    assert interval.half_width == pytest.approx((expected.high - expected.low) / 2)
    assert difference([0.9], list(b)).sign == 0


def test_a_contrast_holds_the_truth_nineteen_times_out_of_twenty() -> None:
    """a − b − (c − d) of samples of unequal sizes and spreads."""
    rng = np.random.default_rng(3)
    sizes, spreads, truths = (4, 6, 9, 5), (1.0, 3.0, 0.5, 2.0), (2.0, 1.0, 0.5, 0.7)
    held = 0
    for _ in range(1000):
        a, b, c, d = (
            list(rng.normal(mean, spread, size))
            for mean, spread, size in zip(truths, spreads, sizes, strict=True)
        )
        found = contrast([a, d], [b, c])
        held += abs(found.mean - (2.0 - 1.0 - (0.5 - 0.7))) <= found.half_width
    assert held / 1000 == pytest.approx(0.95, abs=0.021)  # three standard errors
    assert (found.n, found.samples) == (24, 4)
    parts = [np.var(x, ddof=1) / len(x) for x in (a, d, b, c)]
    assert found.stderr == pytest.approx(np.sqrt(sum(parts)))
    assert contrast([a], [b]) == difference(a, b)


def test_one_value_decides_nothing() -> None:
    interval = paired_difference([0.9], [0.1])
    assert interval.half_width == math.inf
    assert interval.sign == 0
    assert f"{interval:+.2f}" == "+0.80"


def test_sign() -> None:
    # t quantile of one degree of freedom: 12.71
    assert Interval(0.3, 0.01, 2).sign == 1
    assert Interval(-0.3, 0.01, 2).sign == -1
    assert Interval(-0.3, 0.03, 2).sign == 0


def test_text() -> None:
    interval = mean_interval([-0.4, -0.2])
    assert str(interval) == "−0.30 ± 1.27"
    assert f"{interval:+.1f}" == "−0.3 ± 1.3"
    assert interval.spread() == "−0.300 ± 0.141"


def test_no_value_is_refused() -> None:
    with pytest.raises(ValueError, match="no values to average"):
        mean_interval([])
    with pytest.raises(ValueError, match="no values to average"):
        difference([0.1], [])


def test_a_ratio_of_few_or_equal_values() -> None:
    pair = std_ratio([1.0, 2.0], [1.0, 3.0])
    assert (pair.low, pair.high) == (0, math.inf)
    assert pair.value == pytest.approx(0.5)
    same = std_ratio([1.0, 2.0, 4.0], [2.0, 4.0, 8.0])
    assert (same.low, same.high) == pytest.approx((0.5, 0.5))  # they vary as one
    with pytest.raises(ValueError, match="`others` must not all be equal"):
        std_ratio([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    with pytest.raises(ValueError, match="two samples of equal length from 2 on, got 3 and 2"):
        std_ratio([1.0, 2.0, 3.0], [2.0, 2.0])
