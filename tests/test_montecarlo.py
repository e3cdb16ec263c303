import math

import numpy as np
import pytest
from scipy import stats

from preimage.montecarlo import Difference, paired_difference


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


def test_sign() -> None:
    assert Difference(0.3, 0.1).sign == 1
    assert Difference(-0.3, 0.1).sign == -1
    assert Difference(-0.3, 0.4).sign == 0
    assert str(Difference(-0.3, 0.1)) == "−0.30 ± 0.10"
