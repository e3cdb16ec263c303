"""The learning rate of each kind of encoder: the one that ends lowest on its first networks.

Features of different scale and depth want different rates; kinds are compared each at its own
(Figures 2a and 3a).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isnan, nan
from statistics import fmean

from preimage.paper.arms import Arm, Encoders
from preimage.paper.loss_curves import LossCurve, train_curves
from preimage.paper.trainings import Trainings

NamedArm = tuple[str, int, Arm]  # label of the kind, number of the network, training
_TUNED_ON = 3  # networks of a kind that its rate is chosen by
_STEP, _MOST_RATES = 2, 9  # of the grid: a factor between rates, and where it ends


@dataclass(frozen=True)
class Tuned:
    """One kind of encoder at the learning rate that ends lowest.

    Args:
        curves: of all networks, at that rate.
        tried: of the networks that the rate was chosen by, at every rate of the grid.
        arms: the trainings of `curves`.
    """

    rate: float
    curves: Sequence[LossCurve]
    tried: Sequence[LossCurve]
    arms: Sequence[Arm] = ()

    @property
    def rates(self) -> list[float]:
        """The grid, in order."""
        return sorted({curve.rate for curve in self.tried})

    @property
    def is_inside(self) -> bool:
        """Whether worse rates were tried on either side."""
        return self.rates[0] < self.rate < self.rates[-1]


def tune(
    trainings: Trainings,
    kind: Encoders,
    *,
    feature_scaling: bool | None = None,
    networks: int = _TUNED_ON,
) -> Tuned:
    """The rate that ends lowest; while it is at an edge of the grid, the grid grows there.

    Args:
        kind: the first `networks` choose the rate that all are trained at.
        feature_scaling: None is the recipe's.

    Raises:
        Incomplete: time was up.
    """
    rates = trainings.preset.rates
    tried: list[LossCurve] = []
    untried: Sequence[float | None] = rates or (None,)
    while untried:
        for rate in untried:
            for arm in _arms(kind, rate, feature_scaling)[:networks]:
                tried.append(_tried(trainings, arm))
        found = Tuned(best_rate(tried), tried, tried)
        grows = rates and not found.is_inside and len(found.rates) < _MOST_RATES
        up = found.rate == found.rates[-1]
        untried = [found.rate * _STEP if up else found.rate / _STEP] if grows else []
    best = _arms(kind, found.rate if rates else None, feature_scaling)
    return replace(found, curves=train_curves(trainings, best), arms=[arm for *_, arm in best])


def tuning_arms(
    trainings: Trainings,
    kind: Encoders,
    *,
    feature_scaling: bool | None = None,
    networks: int = _TUNED_ON,
) -> list[NamedArm]:
    """The trainings of `tune`, where no grid has to grow."""
    rates = trainings.preset.rates or (None,)
    tried = [arm for rate in rates for arm in _arms(kind, rate, feature_scaling)[:networks]]
    return [*tried, *_arms(kind, rates[0], feature_scaling)]


def best_rate(curves: Sequence[LossCurve]) -> float:
    """The learning rate whose curves end lowest, in the mean over the networks."""
    ends: dict[float, list[float]] = {}
    for curve in curves:
        ends.setdefault(curve.rate, []).append(curve.final)
    means = {rate: fmean(values) for rate, values in ends.items()}
    return min(means, key=lambda rate: inf if isnan(means[rate]) else means[rate])


def place(tuned: Sequence[Tuned]) -> str:
    """Of the rates in their grids."""
    if all(found.is_inside for found in tuned):
        return "each between worse ones"
    if all(len(found.rates) == 1 for found in tuned):
        return "not tuned"
    return "not each between worse ones"


def _tried(trainings: Trainings, arm: NamedArm) -> LossCurve:
    """Its curve; of a training whose loss is no longer finite, a curve that ends as NaN."""
    try:
        (curve,) = train_curves(trainings, [arm])
    except ArithmeticError:
        name, network, training = arm
        recipe = trainings.settings(training).recipe
        return LossCurve(name, network, recipe.feature_scaling, recipe.learning_rate, [nan])
    return curve


def _arms(kind: Encoders, rate: float | None, feature_scaling: bool | None) -> list[NamedArm]:
    return [
        (kind.label, number, Arm(encoder, feature_scaling, learning_rate=rate))
        for number, encoder in enumerate(kind.networks)
    ]
