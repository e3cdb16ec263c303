import math

import numpy as np
import pytest
from scipy import stats

from preimage.sweeps.trials import Difference, difference, paired_difference


def test_interval_is_scipys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 1, 9), rng.normal(0, 1, 9)
    difference = paired_difference(list(a), list(b))
    interval = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert difference.mean - difference.half_width == pytest.approx(interval.low)
    assert difference.mean + difference.half_width == pytest.approx(interval.high)


def test_one_pair_decides_nothing() -> None:
    difference = paired_difference([0.9], [0.1])
    assert difference.half_width == math.inf
    assert difference.sign == 0


def test_unpaired_interval_is_scipys() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.3, 1, 5), rng.normal(0, 2, 12)
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    got = difference(list(a), list(b))
    assert got.mean == pytest.approx(a.mean() - b.mean())
    assert got.half_width == pytest.approx((interval.high - interval.low) / 2)
    assert difference([0.9], list(b)).sign == 0


def test_sign() -> None:
    assert Difference(0.3, 0.1).sign == 1
    assert Difference(-0.3, 0.1).sign == -1
    assert Difference(-0.3, 0.4).sign == 0
    assert str(Difference(-0.3, 0.1)) == "−0.30 ± 0.10"
