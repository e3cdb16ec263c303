"""Figures 8 and 9: their verdicts rest on paired differences, over networks that they share."""

import csv
import math
from statistics import fmean, stdev

import numpy as np
import pytest
from scipy import stats

from preimage.paper import width
from preimage.paper.curves import Curve
from preimage.scores.statistics import Interval

FILES = width._Files(2, "p.png", "t.csv")
LIMITS = {u: {"pearson": Interval(0.9, 0.001, 4)} for u in ("zeros", "nearest")}


def curves(mean: dict[int, list[float]], conv: dict[int, list[float]]) -> width.Curves:
    """Of both unpoolings alike: width → one value per network."""

    def named(values: dict[int, list[float]]) -> dict[str, Curve]:
        curve = Curve("c", {w: dict(enumerate(row)) for w, row in values.items()})
        return {"zeros": curve, "nearest": curve}

    return {"mean": named(mean), "conv": named(conv)}


def noisy(slope: float, noise: float, seed: int) -> dict[int, list[float]]:
    rng = np.random.default_rng(seed)
    return {
        w: (0.5 + slope * math.log2(w) + noise * rng.normal(size=8)).tolist() for w in (4, 16, 64)
    }


def test_figures_share_their_networks(section4) -> None:
    section4("fig8")
    cells = {p.name: p.stat().st_mtime_ns for p in (section4.folder / "width/cells").iterdir()}
    assert len(cells) == 3 * 4 * 4  # widths, heads and unpoolings, networks
    section4("fig9")
    after = {p.name: p.stat().st_mtime_ns for p in (section4.folder / "width/cells").iterdir()}
    assert after == cells


@pytest.mark.parametrize(("figure", "metric"), [("fig8", "ssim"), ("fig9", "pearson")])
def test_numbers_are_those_of_the_sweep(section4, figure: str, metric: str) -> None:
    found = section4(figure)
    assert list(found) == [f"{figure}a", f"{figure}b_growth", f"{figure}b_convergence"]
    with (section4.folder / "width" / "table.csv").open(newline="") as file:
        table = list(csv.DictReader(file))

    def averages(head: str, w: int) -> list[float]:
        """Per network, with zeros unpooling; of |r| behind the random last convolution."""
        size = abs if (head, metric) == ("conv", "pearson") else float
        rows = [r for r in table if (r["head"], r["unpool"], r["width"]) == (head, "zeros", str(w))]
        return [
            fmean(size(float(r[metric])) for r in rows if r["network_number"] == str(number))
            for number in range(4)
        ]

    conv, mean = (np.array([averages(h, w) for w in (2, 4, 8)]) for h in ("conv", "mean"))
    doublings = [1.0, 2.0, 3.0]
    own = [[stats.linregress(doublings, row).slope for row in values.T] for values in (conv, mean)]
    expected = stats.ttest_1samp(own[0], 0).confidence_interval(0.95)
    numbers = found[f"{figure}a"].numbers
    assert numbers["zeros"].mean - numbers["zeros"].half_width == pytest.approx(expected.low)
    assert numbers["first"].mean == pytest.approx(fmean(conv[0]))
    assert (numbers["networks"], numbers["photos"]) == (4, 2)
    more = found[f"{figure}b_growth"].numbers["more_zeros"]
    paired = stats.ttest_rel(own[1], own[0]).confidence_interval(0.95)
    assert more.mean + more.half_width == pytest.approx(paired.high)
    convergence = found[f"{figure}b_convergence"].numbers
    spreads = [stdev(values[-1]) / fmean(values[-1]) for values in (mean, conv)]
    assert convergence["ratio"] == pytest.approx(spreads[0] / spreads[1])
    assert convergence["spread_mean"] == pytest.approx(100 * spreads[0])
    for finding in found.values():
        assert finding.seconds == pytest.approx(section4("fig8")["fig8a"].seconds)
        assert all((section4.folder / name).exists() for name in finding.pictures + finding.tables)


def test_signed_and_absolute_r_stand_in_the_table(section4) -> None:
    section4("fig9")
    with (section4.folder / "fig9.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    values = {(row["curve"], row["width"]): float(row["mean"]) for row in rows}
    for unpool in ("zeros", "nearest"):
        for w in ("2", "4", "8"):
            signed = values[f"conv, {unpool}, pearson", w]
            assert abs(signed) <= values[f"conv, {unpool}, |pearson|", w] + 1e-12


def test_a_difference_of_significance_decides_nothing() -> None:
    """The variant's slope is above 0, the original's not: they may still be the same slope."""
    both = curves(mean=noisy(0.05, 0.01, 0), conv=noisy(0.05, 0.3, 1))
    found = width._contrast("fig9", both, FILES)
    assert found.numbers["slope_zeros"].sign == 1
    assert width.slope(both["conv"]["zeros"]).sign == 0
    assert found.verdict == "not decided"
    assert found.decision is not None
    assert found.decision.needed is not None
    plain = width._contrast("fig9", curves(noisy(0.05, 0.01, 0), noisy(0.0, 0.01, 1)), FILES)
    assert plain.verdict == "holds"
    contrary = width._contrast("fig9", curves(noisy(0.01, 0.01, 0), noisy(0.05, 0.01, 1)), FILES)
    assert contrary.verdict == "fails"


def test_convergence_is_the_deviation_in_units_of_the_mean() -> None:
    steady, loose = noisy(0.0, 0.01, 0), noisy(0.0, 0.1, 1)
    for mean, conv, verdict in (
        (steady, loose, "holds"),
        (loose, steady, "fails"),
        (steady, noisy(0.0, 0.012, 2), "not decided"),
    ):
        found = width._convergence("fig9", curves(mean, conv), LIMITS, FILES)
        assert found.verdict == verdict
        scaled = {w: [100 * value for value in row] for w, row in mean.items()}
        again = width._convergence("fig9", curves(scaled, conv), LIMITS, FILES)
        assert again.numbers["ratio"] == pytest.approx(found.numbers["ratio"])


def test_growth_of_the_original_rests_on_zeros() -> None:
    falling = curves(noisy(-0.05, 0.01, 0), noisy(-0.05, 0.01, 0))["conv"]
    rising = curves(noisy(0.05, 0.01, 0), noisy(0.05, 0.01, 0))["conv"]
    mixed = {"zeros": falling["zeros"], "nearest": rising["nearest"]}
    assert width._growth("fig8", mixed, FILES).verdict == "fails"
    assert width._growth("fig8", rising, FILES).verdict == "holds"
