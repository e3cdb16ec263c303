import math
from math import log2

import numpy as np
import pytest
from scipy import stats

from preimage.paper.curves import Curve, relative_std_ratio, slope, slope_difference
from preimage.paper.decision import is_below_one

WIDTHS = (4, 8, 32)


def draw(seed: int, networks: dict[int, range] | None = None) -> Curve:
    rng = np.random.default_rng(seed)
    values = {
        width: {
            number: 0.1 * log2(width) + float(rng.normal(0, 1 / width))
            for number in (networks or {}).get(width, range(7))
        }
        for width in WIDTHS
    }
    return Curve("c", values)


def own_slopes(curve: Curve) -> list[float]:
    return [
        float(stats.linregress(np.log2(WIDTHS), [curve.values[w][n] for w in WIDTHS]).slope)
        for n in range(7)
    ]


def test_with_equal_networks_it_is_the_interval_of_their_own_slopes() -> None:
    curve, other = draw(0), draw(1)
    interval = stats.ttest_1samp(own_slopes(curve), 0).confidence_interval(0.95)
    got = slope(curve)
    assert got.mean - got.half_width == pytest.approx(interval.low)
    assert got.mean + got.half_width == pytest.approx(interval.high)
    paired = stats.ttest_rel(own_slopes(curve), own_slopes(other)).confidence_interval(0.95)
    difference = slope_difference(curve, other)
    assert difference.mean - difference.half_width == pytest.approx(paired.low)
    assert difference.mean + difference.half_width == pytest.approx(paired.high)


def test_a_curve_less_itself_is_exactly_nothing() -> None:
    curve = draw(2, {32: range(3)})
    difference = slope_difference(curve, curve)
    assert difference.mean == difference.half_width == 0


def test_unequal_networks_cover_the_truth() -> None:
    """Of 400 intervals at 95 %, over 91 % hold the slope: 4 standard errors below."""
    networks = {4: range(20), 8: range(20), 32: range(12)}
    hits = 0
    for seed in range(400):
        got = slope(draw(seed, networks))
        hits += abs(got.mean - 0.1) <= got.half_width
    assert hits / 400 > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 400)


def test_thin_points_do_not_feign_certainty() -> None:
    """A stopped sweep has many narrow networks and few wide ones: noise has no slope."""
    hits = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        counts = {4: 60, 8: 30, 16: 9, 32: 3}
        values = {w: dict(enumerate(rng.normal(0.1, 0.05, n).tolist())) for w, n in counts.items()}
        hits += slope(Curve("c", values)).sign != 0
    assert hits / 400 < 0.05 + 4 * math.sqrt(0.95 * 0.05 / 400)
    values[32] = {0: 0.7}
    assert slope(Curve("c", values)).half_width == math.inf


def test_points_of_a_few_networks_are_not_judged() -> None:
    def judged(**counts: int) -> list[int]:
        curve = Curve("c", {x: dict.fromkeys(range(n), 0.5) for x, n in counts.items()})
        return curve.judged.num_networks

    assert judged(a=30, b=5, c=4, d=2) == [30, 5]
    assert judged(a=3, b=3, c=2) == [3, 3]  # as many as any
    assert judged(a=30, b=4, c=2) == [30, 4, 2]  # a slope needs two


def test_few_points_and_networks() -> None:
    with pytest.raises(ValueError, match="at least two points"):
        slope(Curve("c", {4: {0: 0.1}}))
    alone = slope(Curve("c", {4: {0: 0.1}, 8: {0: 0.3}}))
    assert alone.mean == pytest.approx(0.2)
    assert alone.half_width == math.inf
    steps = slope(Curve("c", {"a": {0: 0.0}, "b": {0: 2.0}}), {"a": 0.0, "b": 1.0}.__getitem__)
    assert steps.mean == pytest.approx(2)


def test_equal_relative_deviations_are_told_apart_in_one_case_of_twenty() -> None:
    """Of half the mean, whose own error then counts; the two samples share their networks."""
    rng = np.random.default_rng(5)
    errors = 0
    for _ in range(800):
        common, *own = rng.normal(0, 1, (3, 17))
        samples = [(1 + 0.5 * (0.6 * common + 0.8 * z)).tolist() for z in own]
        errors += is_below_one(relative_std_ratio(*samples)).holds is not None
    assert errors / 800 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 800)
