"""A theorem's verdict depends on that theorem alone, and on how many networks exceed its bound."""

import pytest
import torch

from preimage.paper import angle_theorems, angles
from preimage.paper.angles import (
    CORRECTED_3,
    K_EFF,
    MIXTURE,
    PAPER_2,
    PRINTED_3,
    AngleCurves,
    Bound,
    V,
)
from preimage.scores.statistics import Interval


def curves(
    exceeded: dict[str, int],
    exponent: float = -0.5,
    networks: int = 120,
    scale: float = 0.99,
    nearer: float = -0.5,
) -> AngleCurves:
    """Two widths; the counts of networks that lie beyond a bound at the second."""
    bounds = {
        name: Bound([0.4, 0.3], [0, exceeded.get(name, 0)], name != PRINTED_3)
        for name in (V, PAPER_2, K_EFF, CORRECTED_3, PRINTED_3)
    }
    measured = {0.05: [0.01, 0.01], 0.5: [0.05, 0.04], 0.95: [0.2, 0.1]}
    # The prediction stands below the measured quantile, as it will half of the time.
    predictions = {MIXTURE: [0.19, 0.09]}
    interval = Interval(exponent, 0.01, networks)
    return AngleCurves(
        "net",
        (8, 16),
        networks,
        0.05,
        measured,
        bounds,
        predictions,
        interval,
        [Interval(0.9, 0.02, networks), Interval(scale, 0.01, networks)],
        [0.5, 0.35],
        Interval(nearer, 0.01, networks),
    )


def test_the_limit_is_neared_and_its_scale_is_that_of_the_corrected_constant() -> None:
    judge = angle_theorems._theorem_1
    assert judge(curves({})).verdict == "holds"
    assert judge(curves({}, scale=1.2)).verdict == "fails"
    assert judge(curves({}, scale=0.96)).verdict == "not decided"
    assert judge(curves({}, nearer=-0.01)).verdict == "fails"
    assert "0.500 at width 8 and 0.350 at 16" in judge(curves({})).ours
    # Two hidden convolutions of standard deviation 0.1: k₂ = 0.005 in place of √k₂, twice.
    constant = angle_theorems._constant(curves({}, scale=1.0))
    assert constant.verdict == "fails"
    assert constant.numbers["times"].mean == pytest.approx(200)


def test_distances_and_scales_are_those_of_the_networks() -> None:
    """Two rows by hand: f* = (3, 4); f = (6, 8) and (4, −3), as long and at a right angle."""
    f, f_star = torch.tensor([[6.0, 8.0], [4.0, -3.0]]), torch.tensor([3.0, 4.0])
    assert angles._scales(f, f_star).tolist() == [2.0, 0.0]
    assert angles._squared_distances(f, f_star).tolist() == [1.0, 2.0]
    assert angles.sines(f, f_star).tolist() == pytest.approx([0.0, 1.0], abs=1e-6)
    squares = [torch.tensor([4.0, 16.0]), torch.tensor([1.0, 4.0])]  # a quarter at twice the width
    assert angles._exponent((8, 16), squares).mean == pytest.approx(-1.0)


def test_a_prediction_is_no_bound() -> None:
    """The measured quantile may lie on either side of the mixture's: Theorem 5.2 holds."""
    finding = angle_theorems._theorem_2(curves({}))
    assert finding.verdict == "holds"
    assert "predicts the quantile to be 0.0900" in finding.ours


JUDGES = {
    PAPER_2: angle_theorems._theorem_2,
    CORRECTED_3: angle_theorems._theorem_3,
    V: angle_theorems._theorem_v,
}


@pytest.mark.parametrize("broken", [V, PAPER_2, K_EFF, CORRECTED_3, PRINTED_3])
def test_a_theorem_answers_for_itself_alone(broken: str) -> None:
    for name, judge in JUDGES.items():
        assert judge(curves({broken: 40})).verdict == ("fails" if name == broken else "holds")


def test_few_networks_beyond_a_bound_refute_nothing() -> None:
    """8 of 120 where 6 are allowed: not decided; 16: refuted, though it is one of two widths."""
    assert angle_theorems._theorem_v(curves({V: 8})).verdict == "not decided"
    assert angle_theorems._theorem_v(curves({V: 16})).verdict == "fails"
    few = angle_theorems._theorem_v(curves({}, networks=20))
    assert few.verdict_text == "not decided (would take about 72 networks)"


def test_theorem_5_3_is_about_the_rate_too() -> None:
    assert angle_theorems._theorem_3(curves({}, exponent=-0.1)).verdict == "fails"
    assert angle_theorems._theorem_3(curves({}, exponent=-0.26)).verdict == "not decided"


def test_the_table_has_every_number() -> None:
    rows = list(angle_theorems._rows(curves({V: 4})))
    values = {(row["quantity"], row["width"]): row["value"] for row in rows}
    assert values["measured 0.95 quantile", 16] == 0.1
    assert values["bound: Theorem V", 8] == 0.4
    assert values["prediction: χ² mixture", 16] == 0.09
    assert values["networks beyond Theorem V", 16] == 4
    assert values["scale", 16] == 0.99
    assert values["distance", 8] == 0.5
    assert len(rows) == 2 * (3 + 5 + 5 + 1 + 2)
