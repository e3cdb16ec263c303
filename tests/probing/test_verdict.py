"""Verdicts: what one draw more would look like, and the correction for several layers."""

import numpy as np
import pytest

from preimage.probing.controls import psnr, usable_bits
from preimage.probing.verdict import Verdict, half_width_at, over_draws
from preimage.scores.statistics import Interval


def test_an_untrained_network_is_called_different_once_in_twenty() -> None:
    """Networks and twins from one law: the prediction interval misses 5 % of them."""
    draws = np.random.default_rng(0).standard_normal((4000, 6))
    missed = sum(over_draws(list(row[0] - row[1:])).sign != 0 for row in draws) / len(draws)
    stderr = (0.05 * 0.95 / len(draws)) ** 0.5
    assert abs(missed - 0.05) < 4 * stderr


def test_one_twin_decides_nothing() -> None:
    interval = over_draws([5.0])
    assert interval.half_width == float("inf")
    assert Verdict(Interval(5.0, 0.1, 20), interval, 0.95).word == "not decided"


@pytest.mark.parametrize(
    ("photos", "draws", "word"),
    [
        (1.0, 1.0, "training keeps more"),
        (-1.0, -1.0, "training throws away"),
        (1.0, 0.1, "not decided"),
        (-0.1, -1.0, "not decided"),
    ],
)
def test_a_verdict_needs_photos_and_draws(photos: float, draws: float, word: str) -> None:
    verdict = Verdict(Interval(photos, 0.2, 40), Interval(draws, 0.2, 6), 0.95)
    assert verdict.word == word


def test_several_layers_ask_for_more() -> None:
    over_photos, over = Interval(1.0, 0.05, 100), Interval(1.0, 0.33, 6)  # t(5) at 97.5 %: 2.571
    assert Verdict(over_photos, over, 0.95).word == "training keeps more"
    assert Verdict(over_photos, over, 1 - 0.05 / 10).word == "not decided"
    assert half_width_at(over, 0.95) == pytest.approx(0.33 * 2.5706, rel=1e-4)


def test_psnr_and_bits() -> None:
    assert psnr([1.0, 255.0**2]) == pytest.approx([48.1308, 0.0], abs=1e-4)
    assert psnr([0.0]) == psnr([0.01])
    # Half the error's standard deviation is one bit.
    assert usable_bits(psnr([25.0])[0], psnr([100.0])[0]) == pytest.approx(1.0)
