"""Figure 2a: its numbers are recomputed from the table that it writes."""

from collections.abc import Sequence

import numpy as np
import pytest
from trained_figures import Workplace, parts, welch

from preimage.paper.convergence import LEVEL, _clearest, _final, _speed
from preimage.paper.loss_curves import LossCurve
from preimage.paper.tuning import Tuned


def tuned(curves: Sequence[LossCurve]) -> dict[str, Tuned]:
    names = dict.fromkeys(curve.name for curve in curves)
    by_name = {name: [c for c in curves if c.name == name] for name in names}
    return {name: Tuned(1e-3, found, found) for name, found in by_name.items()}


def test_figure_2a(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig2a")
    ends: dict[str, dict[float, list[float]]] = {}
    for row in rows:
        # The window of four steps is one: the smoothed loss at the end is the last.
        if (row["scaled"], row["step"]) == ("True", "4"):
            by_rate = ends.setdefault(row["encoder"], {})
            by_rate.setdefault(float(row["learning_rate"]), []).append(float(row["loss"]))
    kinds = ("random", "trained here")
    assert list(ends) == [f"{name} {kind}" for name in ("VGG16", "AlexNet") for kind in kinds]
    best = {name: min(rates, key=lambda r: np.mean(rates[r])) for name, rates in ends.items()}
    for name, rates in ends.items():
        assert {2e-3, 4e-3, 8e-3} <= set(rates)
        assert all(len(values) == 2 for values in rates.values())  # networks
        assert min(rates) < best[name] < max(rates) or len(rates) == 9
    final = findings["fig2a_loss"].numbers
    random, trained, alexnet, trained_alexnet = (ends[name][best[name]] for name in ends)
    assert parts(final["gap"]) == pytest.approx(welch(random, trained))
    assert final["one_rate"] == best["VGG16 random"]
    assert parts(findings["fig2a_alexnet"].numbers["gap"]) == pytest.approx(welch(random, alexnet))
    assert parts(final["one"])[0] == pytest.approx(np.mean(random))
    speed = findings["fig2a_speed"].numbers
    assert speed["level"] == pytest.approx(LEVEL * max(np.mean(random), np.mean(trained)))
    clearest = findings["fig2a_vgg"].numbers
    assert parts(clearest["vgg"]) == pytest.approx(welch(random, trained))
    assert parts(clearest["alexnet"]) == pytest.approx(welch(alexnet, trained_alexnet))
    gaps = [abs(clearest[name].mean) for name in ("vgg", "alexnet")]
    assert parts(clearest["wider"])[0] == pytest.approx(gaps[0] - gaps[1])


RAW = {"random": [40.0, 42.0], "trained": [30.0, 31.0]}  # which decides nothing


@pytest.mark.parametrize(
    ("random", "trained", "speed", "loss"),
    [
        ((10.0, 11.0, 10.5), (20.0, 21.0), "holds", "holds"),
        ((20.0, 21.0, 20.5), (10.0, 11.0), "fails", "fails"),
        ((10.0, 30.0, 20.0), (20.0, 21.0), "not decided", "not decided"),
    ],
)
def test_speed_and_final_loss_have_verdicts_of_their_own(
    random: tuple[float, ...], trained: tuple[float, ...], speed: str, loss: str
) -> None:
    # Straight lines from 100 to the final loss: the lower, the sooner at any level.
    curves = [
        LossCurve(name, network, True, 1e-3, np.linspace(100, end, 200).tolist())
        for name, ends in (("random", random), ("trained", trained))
        for network, end in enumerate(ends)
    ]
    assert _speed(curves, "random", "trained").verdict == speed
    final = _final(tuned(curves), RAW, "random", "trained")
    assert final.verdict == loss
    assert "features as they are, all at one rate: 41 ± 13 and 30 ± 6" in final.in_brief


@pytest.mark.parametrize(
    ("alexnet", "verdict"),
    [
        ((52.0, 50.0), "holds"),
        ((50.0, 52.0), "holds"),
        ((70.0, 50.0), "fails"),
        ((50.0, 70.0), "fails"),
        ((60.0, 50.0), "not decided"),
    ],
)
@pytest.mark.parametrize("vgg", [(20.0, 30.0), (30.0, 20.0)])
def test_clearest_is_the_wider_gap_whichever_way(
    vgg: tuple[float, float], alexnet: tuple[float, float], verdict: str
) -> None:
    names = ("vgg", "vgg trained", "alexnet", "alexnet trained")
    curves = [
        LossCurve(name, network, True, 1e-3, [100.0, *[end + off] * 40])
        for name, end in zip(names, (*vgg, *alexnet), strict=True)
        for network, off in enumerate((-1.0, 0.0, 1.0))
    ]
    found = _clearest(tuned(curves), ("vgg", "vgg trained"), ("alexnet", "alexnet trained"))
    assert found.verdict == verdict
    assert "(3 and 3 networks)" in found.in_brief
    assert found.numbers["vgg_percent"] == pytest.approx(100 / 3)


def test_faster_to_a_higher_loss_holds_for_one_and_fails_for_the_other() -> None:
    """What a sum of two signs called undecided."""

    def straight(name: str, network: int, descent: list[float], end: float) -> LossCurve:
        return LossCurve(name, network, True, 1e-3, [*descent, *[end + network / 50] * 20])

    fast, slow = [100.0] * 5 + [20.2] * 175, np.linspace(100, 25, 180).tolist()
    curves = [straight("random", network, fast, 20.2) for network in range(3)]
    curves += [straight("trained", network, slow, 19.9) for network in range(3)]
    assert _speed(curves, "random", "trained").verdict == "holds"
    assert _final(tuned(curves), RAW, "random", "trained").verdict == "fails"
