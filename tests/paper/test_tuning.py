"""Figures 2a and 3a compare kinds of encoders each at the learning rate that suits it best."""

from collections.abc import Sequence
from math import log2

import pytest
from trained_figures import Workplace

from preimage.paper import tuning
from preimage.paper.arms import Arm
from preimage.paper.loss_curves import LossCurve
from preimage.paper.trainings import Trainings
from preimage.paper.tuning import Tuned, best_rate, place, tune


def curve(network: int, rate: float, end: float, name: str = "a") -> LossCurve:
    return LossCurve(name, network, True, rate, [9.0, end])


def test_the_best_rate_is_chosen_by_the_mean_of_all_networks() -> None:
    # Rate 2 is best for network 0 alone; rate 4 diverged.
    curves = [curve(0, 1.0, 3.0), curve(1, 1.0, 3.0), curve(0, 2.0, 1.0), curve(1, 2.0, 8.0)]
    assert best_rate([curve(0, 4.0, float("nan")), *curves]) == 1.0


def test_the_grid_grows_until_the_best_rate_is_inside(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, int]] = []

    def descended(_: Trainings, arms: Sequence[tuple[str, int, Arm]]) -> list[LossCurve]:
        asked.extend((arm.learning_rate or 0.0, number) for _, number, arm in arms)
        # The least loss is at 0.032, beyond the grid of 0.002, 0.004, 0.008.
        return [
            curve(number, rate, abs(log2(rate / 0.032)), name)
            for name, number, arm in arms
            if (rate := arm.learning_rate)
        ]

    monkeypatch.setattr(tuning, "train_curves", descended)
    trainings = Trainings(workplace.options("fig2a", networks=4))
    found = tune(trainings, trainings.random_encoders("conv2", 4))
    assert found.rates == [0.002, 0.004, 0.008, 0.016, 0.032, 0.064]
    assert (found.rate, found.is_inside) == (0.032, True)
    assert [c.network for c in found.curves] == [0, 1, 2, 3]
    # Three networks choose; the fourth is trained at the rate that they chose.
    assert [rate for rate, number in asked if number == 3] == [0.032]
    assert [arm.learning_rate for arm in found.arms] == [0.032] * 4


def test_a_rate_whose_loss_is_not_finite_is_worse_than_any(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def descended(_: Trainings, arms: Sequence[tuple[str, int, Arm]]) -> list[LossCurve]:
        rates = [arm.learning_rate or 0.0 for *_, arm in arms]
        if max(rates) > 0.004:
            raise ArithmeticError("the loss is nan")
        return [curve(n, r, 1 - r, name) for (name, n, _), r in zip(arms, rates, strict=True)]

    monkeypatch.setattr(tuning, "train_curves", descended)
    trainings = Trainings(workplace.options("fig2a"))
    found = tune(trainings, trainings.random_encoders("conv2", 2))
    assert (found.rate, found.rates, found.is_inside) == (0.004, [0.002, 0.004, 0.008], True)


def test_rates_are_between_worse_ones_or_not() -> None:
    inside, edge = (
        [curve(0, rate, abs(log2(rate / x))) for rate in (1.0, 2.0, 4.0)] for x in (2, 4)
    )
    found = [Tuned(best_rate(curves), curves, curves) for curves in (inside, edge)]
    assert place(found[:1]) == "each between worse ones"
    assert place(found) == "not each between worse ones"
    alone = Tuned(1.0, inside[:1], inside[:1])
    assert place([alone]) == "not tuned"
