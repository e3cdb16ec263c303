"""Smoothing, steps to a level, and comparisons of losses against closed forms."""

import numpy as np
import pytest

from preimage.paper.loss_curves import (
    LossCurve,
    by_name,
    curve_rows,
    draw_losses,
    percent_above,
    smooth,
    steps_to,
)


def curve(name: str, network: int, losses: list[float]) -> LossCurve:
    return LossCurve(name, network, scaled=False, rate=1e-3, losses=losses)


def test_smoothing_is_a_running_mean() -> None:
    losses = np.random.default_rng(0).random(61).tolist()
    width = 6  # of 61 steps, 10 % are 6.1
    naive = [np.mean(losses[max(0, i + 1 - width) : i + 1]) for i in range(61)]
    assert smooth(losses, 0.1) == pytest.approx(naive, rel=1e-12)
    assert smooth([4.0, 2.0, 0.0, 0.0], 0.5) == [4.0, 3.0, 1.0, 0.0]


def test_steps_to_a_level() -> None:
    assert steps_to([4.0, 2.0, 0.0, 0.0] * 10, 2.0) == 3  # a window of two
    assert steps_to([4.0], 2.0) is None


def test_values_by_name_come_in_the_order_of_networks() -> None:
    curves = [curve("b", 1, [3.0]), curve("a", 0, [1.0]), curve("b", 0, [2.0])]
    assert by_name(curves, lambda c: c.final) == {"b": [2.0, 3.0], "a": [1.0]}
    assert percent_above([1.1, 3.0], [1.0, 2.0]) == pytest.approx([10.0, 50.0])


def test_every_step_has_a_row() -> None:
    rows = curve_rows([curve("a", 0, [2.0, 1.0]), curve("a", 1, [3.0, 2.5])])
    assert [(row["network"], row["step"], row["loss"]) for row in rows] == [
        (0, 1, 2.0),
        (0, 2, 1.0),
        (1, 1, 3.0),
        (1, 2, 2.5),
    ]


def test_the_drawing_shows_the_smoothed_losses_and_names_each_encoder_once() -> None:
    curves = [curve("a", 0, [4.0, 2.0] * 20), curve("a", 1, [5.0] * 40), curve("b", 0, [1.0] * 40)]
    figure = draw_losses({"one": curves, "two": curves[:1]}, "heading")
    one, two = figure.axes
    assert [list(line.get_ydata()) for line in one.lines] == [smooth(c.losses) for c in curves]
    assert [t.get_text() for t in one.get_legend().get_texts()] == ["a (n = 2)", "b (n = 1)"]
    assert one.get_xscale() == two.get_yscale() == "log"
