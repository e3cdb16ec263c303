import math

import numpy as np
import pytest
from scipy import stats

from preimage.scores.statistics import Interval, difference, mean_interval, paired_difference


def test_mean_interval_is_scipys() -> None:
    values = np.random.default_rng(2).normal(0.3, 1, 7)
    interval = mean_interval(list(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval.mean - interval.half_width == pytest.approx(expected.low)
    assert interval.mean + interval.half_width == pytest.approx(expected.high)
    assert interval.std == pytest.approx(values.std(ddof=1))


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


def test_one_value_decides_nothing() -> None:
    interval = paired_difference([0.9], [0.1])
    assert interval.half_width == math.inf
    assert interval.sign == 0
    assert interval.within(10.0) is None
    assert f"{interval:+.2f}" == "+0.80"


def test_sign_and_margin() -> None:
    # t quantile of one degree of freedom: 12.71
    assert Interval(0.3, 0.01, 2).sign == 1
    assert Interval(-0.3, 0.01, 2).sign == -1
    assert Interval(-0.3, 0.03, 2).sign == 0
    assert Interval(0.3, 0.01, 2).within(0.5) is True
    assert Interval(0.3, 0.01, 2).within(0.1) is False
    assert Interval(0.3, 0.01, 2).within(0.4) is None


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
