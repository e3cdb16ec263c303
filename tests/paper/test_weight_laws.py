"""Figures 2b and 2c: their numbers are recomputed from the table; verdicts on curves made up."""

from math import log10

import numpy as np
import pytest
from trained_figures import Workplace, parts

from preimage.paper.loss_curves import LossCurve
from preimage.paper.weight_laws import (
    LAWS,
    PAPER_SIGMA,
    SIGMAS,
    _all_alike,
    _least,
    _start,
    _together,
    slug,
)
from preimage.scores.statistics import mean_interval


def losses(rows: list[dict[str, str]], scaled: str, step: str) -> np.ndarray:
    """(names, networks), in the order of the table."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if (row["scaled"], row["step"]) == (scaled, step):
            found.setdefault(row["encoder"], []).append(float(row["loss"]))
    return np.array(list(found.values()))


def test_figure_2b(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig2b")
    first, last = (losses(rows, "False", step) for step in "14")
    assert first.shape == (5, 2)
    logs = np.log10(first)
    order = logs.mean(1).argsort()
    expected = mean_interval((logs[order[-1]] - logs[order[0]]).tolist())
    assert parts(findings["fig2b_start"].numbers["apart"]) == pytest.approx(
        (expected.mean, expected.half_width), rel=1e-5
    )
    end = findings["fig2b_end"].numbers
    assert parts(end["apart"])[0] == pytest.approx(np.ptp(np.log10(last).mean(1)), rel=1e-5)
    scaled = np.stack([losses(rows, "True", step) for step in "1234"])
    assert end["scaled_apart"] == pytest.approx(100 * abs(scaled / scaled[:, :1] - 1).max())
    assert end["scaled_apart"] < 1e-2  # float32: divided by one constant, σ is gone
    least = findings["fig2b_least"].numbers
    assert least["least"] == f"N(0, {SIGMAS[last.mean(1).argmin()]:g})"
    for index in (0, 2, 3, 4):
        above = np.log10(last[index] / last[1]).mean()
        name = slug(f"N(0, {SIGMAS[index]:g})")
        assert parts(least[name])[0] == pytest.approx(above, rel=1e-6, abs=1e-9)


def test_figure_2c(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig2c")
    numbers = findings["fig2c"].numbers
    for scaled, prefix in (("False", ""), ("True", "scaled_")):
        last = losses(rows, scaled, "4")
        if not prefix:
            assert parts(numbers["gaussian"])[0] == pytest.approx(last[0].mean())
        for end, law in list(zip(last, LAWS, strict=True))[1:]:
            expected = mean_interval((100 * (end / last[0] - 1)).tolist())
            got = parts(numbers[f"{prefix}{slug(law)}"])
            assert got == pytest.approx((expected.mean, expected.half_width), rel=1e-6, abs=1e-9)


def curves(ends: dict[str, list[float]], starts: dict[str, float] | None = None) -> list[LossCurve]:
    starts = starts or {}
    return [
        LossCurve(name, network, False, 1e-3, [starts.get(name, 100.0), end])
        for name, values in ends.items()
        for network, end in enumerate(values)
    ]


def test_laws_are_alike_within_a_margin_and_by_an_interval() -> None:
    def verdict(other: list[float]) -> str:
        ends = {law: [100.0, 101.0, 99.0] for law in LAWS}
        made = curves(ends | {"Laplace(0, 0.015)": other})
        return _all_alike(made, curves(ends)).verdict

    assert verdict([102.0, 102.5, 101.0]) == "holds"
    assert verdict([120.0, 121.0, 118.0]) == "fails"
    assert verdict([102.0, 140.0, 90.0]) == "not decided"
    one = curves({law: [100.0] for law in LAWS})
    assert _all_alike(one, one).verdict == "not decided"  # of one network there is no interval


def test_each_statement_on_sigma_has_its_verdict() -> None:
    names = [f"N(0, {sigma:g})" for sigma in SIGMAS]
    starts = dict(zip(names, (100.0, 100.0, 110.0, 500.0, 5000.0), strict=True))
    noise = np.array([0.0, 0.5, -0.5])
    ends = {name: (100 + k + noise).tolist() for k, name in enumerate(names)}
    ends[PAPER_SIGMA] = (95 + noise).tolist()
    made = curves(ends, starts)
    assert _start(made).verdict == "holds"
    assert parts(_start(made).numbers["apart"])[0] == pytest.approx(log10(50))
    scaled = [LossCurve(c.name, c.network, True, c.rate, [9.0, 5.0]) for c in made]
    assert _together(made, scaled).verdict == "holds"  # 104 lies 9.5 % above 95
    assert _least(made).verdict == "holds"
    ends["N(0, 1)"] = (300 + noise).tolist()
    ends["N(0, 0.05)"] = (90 + noise).tolist()
    assert _together(curves(ends, starts), scaled).verdict == "fails"
    assert _least(curves(ends, starts)).verdict == "fails"


def test_laws_have_names_that_a_sentence_can_print() -> None:
    assert slug("N(0, 0.015)") == "n_0_0015"
    assert slug("Uniform [−0.04, 0.04)") == "uniform_minus_004_004"
    names = [slug(name) for name in [*LAWS, *(f"N(0, {sigma:g})" for sigma in SIGMAS)]]
    assert len(set(names)) == len(LAWS) + len(SIGMAS) - 1
