"""Figure 2a: its numbers are recomputed from the table that it writes."""

import numpy as np
import pytest
from trained_figures import Workplace, parts, welch

from preimage.paper.convergence import LEVEL, _final, _speed, best_rates
from preimage.paper.loss_curves import LossCurve


def test_figure_2a(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig2a")
    ends = {
        name: [
            # The window of four steps is one: the smoothed loss at the end is the last.
            [
                float(row["loss"])
                for row in rows
                if (row["encoder"], row["scaled"], row["step"], row["learning_rate"])
                == (name, "True", "4", rate)
            ]
            for rate in ("0.002", "0.004", "0.008")
        ]
        for name in ("VGG16 random", "VGG16 trained here", "AlexNet random")
    }
    assert np.shape([*ends.values()]) == (3, 3, 2)  # encoders, rates, networks
    final = findings["fig2a_loss"].numbers
    random, trained, alexnet = (min(of_rates, key=np.mean) for of_rates in ends.values())
    assert parts(final["gap"]) == pytest.approx(welch(random, trained))
    assert parts(findings["fig2a_alexnet"].numbers["gap"]) == pytest.approx(welch(random, alexnet))
    assert parts(final["one"])[0] == pytest.approx(np.mean(random))
    speed = findings["fig2a_speed"].numbers
    assert speed["level"] == pytest.approx(LEVEL * max(np.mean(random), np.mean(trained)))
    assert findings["fig2a_vgg"].verdict == "absent"


def test_the_best_rate_is_chosen_by_the_mean_of_all_networks() -> None:
    def curve(network: int, rate: float, end: float, scaled: bool = True) -> LossCurve:
        return LossCurve("a", network, scaled, rate, [9.0, end])

    # Rate 2 is best for network 0 alone.
    curves = [curve(0, 1.0, 3.0), curve(1, 1.0, 3.0), curve(0, 2.0, 1.0), curve(1, 2.0, 8.0)]
    assert best_rates([*curves, curve(0, 5.0, 0.0, scaled=False)]) == curves[:2]


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
    assert _final(curves, "random", "trained").verdict == loss


def test_faster_to_a_higher_loss_holds_for_one_and_fails_for_the_other() -> None:
    """What a sum of two signs called undecided."""

    def curve(name: str, network: int, descent: list[float], end: float) -> LossCurve:
        return LossCurve(name, network, True, 1e-3, [*descent, *[end + network / 50] * 20])

    fast, slow = [100.0] * 5 + [20.2] * 175, np.linspace(100, 25, 180).tolist()
    curves = [curve("random", network, fast, 20.2) for network in range(3)]
    curves += [curve("trained", network, slow, 19.9) for network in range(3)]
    assert _speed(curves, "random", "trained").verdict == "holds"
    assert _final(curves, "random", "trained").verdict == "fails"
