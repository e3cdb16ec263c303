"""A theorem's verdict depends on that theorem alone, and on how many networks exceed its bound."""

import pytest

from preimage.paper import angle_theorems
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


def curves(exceeded: dict[str, int], exponent: float = -0.5, networks: int = 60) -> AngleCurves:
    """Two widths; the counts of networks that lie beyond a bound at the second."""
    bounds = {
        name: Bound([0.4, 0.3], [0, exceeded.get(name, 0)], name != PRINTED_3)
        for name in (V, PAPER_2, K_EFF, CORRECTED_3, PRINTED_3)
    }
    measured = {0.05: [0.01, 0.01], 0.5: [0.05, 0.04], 0.95: [0.2, 0.1]}
    # The prediction stands below the measured quantile, as it will half of the time.
    predictions = {MIXTURE: [0.19, 0.09]}
    interval = Interval(exponent, 0.01, networks)
    return AngleCurves("net", (8, 16), networks, 0.05, measured, bounds, predictions, interval)


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
    """4 of 60 where 3 are allowed: not decided; 5 % of very many: neither."""
    assert angle_theorems._theorem_v(curves({V: 4})).verdict == "not decided"
    assert angle_theorems._theorem_v(curves({V: 10})).verdict == "fails"
    few = angle_theorems._theorem_v(curves({}, networks=20))
    assert few.verdict_text == "not decided (would take about 59)"


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
    assert len(rows) == 2 * (3 + 5 + 5 + 1)
