"""Angles of random networks to their limit: against closed forms and naive counts."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from preimage import ChannelMean, Conv, Description
from preimage.paper import angles
from preimage.paper.angles import angle_curves, centre, conv1, draw_angles, network_outputs, sines
from preimage.theory import limit, two_layer, two_layer_angle_bound

TWO_LAYERS = Description("two", (Conv("conv", 1), ChannelMean()))


@pytest.fixture(scope="module")
def photo() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return F.avg_pool2d(torch.rand(1, 3, 32, 30, generator=generator), 3, 1)


def test_sines_are_those_of_the_angles() -> None:
    f_star = torch.tensor([3.0, 4.0], dtype=torch.float64)
    f = torch.stack([f_star, torch.tensor([-4.0, 3.0]), torch.tensor([1.0, 0.0])])
    assert sines(f, f_star) == pytest.approx(torch.tensor([0, 1, 0.8]), abs=1e-6)


def test_the_centre_is_the_middle(photo: Tensor) -> None:
    torch.testing.assert_close(centre(photo, 8), photo[..., 11:19, 10:18])
    with pytest.raises(ValueError, match="at least 64×64, got 30×28"):
        centre(photo, 64)


@pytest.fixture(scope="module")
def curves(photo: Tensor) -> angles.AngleCurves:
    image = photo[..., :8, :7].double()
    return angle_curves("two", TWO_LAYERS, image, (16, 64), 30, 0.1, seed=0)


def test_quantiles_and_counts_are_the_samples(photo: Tensor, curves: angles.AngleCurves) -> None:
    image = photo[..., :8, :7].double()
    f_star = limit(TWO_LAYERS, image, "gaussian:0.1")
    for index, width in enumerate((16, 64)):
        net = TWO_LAYERS.with_width(width)
        sample = sines(network_outputs(net, image, 30, "gaussian:0.1", 0), f_star)
        for p in (0.05, 0.5, 0.9):
            assert curves.measured[p][index] == pytest.approx(float(sample.quantile(p)))
        for bound in curves.bounds.values():
            assert bound.exceeded[index] == sum(s > bound.values[index] for s in sample.tolist())
    assert curves.top == curves.measured[0.9]


def test_bounds_and_predictions_are_told_apart(photo: Tensor, curves: angles.AngleCurves) -> None:
    assert set(curves.bounds) == {"Theorem V", "Theorem 5.2", "K_eff"}
    assert set(curves.predictions) == {"χ² mixture"}
    assert curves.bounds["Theorem 5.2"].values == [two_layer_angle_bound(n, 0.1) for n in (16, 64)]
    network = two_layer(TWO_LAYERS.with_width(64), photo[..., :8, :7].double())
    mixture = network.predicted_angle_quantile(0.9)
    assert curves.predictions["χ² mixture"][1] == mixture
    # A prediction of the 90 % quantile: the quantile of 30 values has a standard error of 15 %.
    assert curves.top[1] == pytest.approx(mixture, rel=0.5)
    assert not any(curves.bounds["Theorem 5.2"].exceeded)


def test_angles_fall_like_one_over_the_square_root(curves: angles.AngleCurves) -> None:
    assert abs(curves.exponent.mean + 0.5) < 4 * curves.exponent.stderr
    assert curves.exponent.stderr < 0.1


def test_a_statement_outside_its_conditions_is_marked(photo: Tensor) -> None:
    image = photo[..., :8, :8].double()
    curves = angle_curves("many", conv1("zeros"), image, (4, 8), 3, 0.05, seed=0)
    proved = {name: bound.proved for name, bound in curves.bounds.items()}
    assert proved == {"Theorem V": True, "5.3 corrected": True, "5.3 as printed": False}
    figure = draw_angles(curves)
    figure.draw_without_rendering()
    (axis,) = figure.axes
    labels = [text.get_text() for text in axis.get_legend().texts]
    assert "5.3 as printed (outside its conditions)" in labels
    assert any("3 networks" in label for label in labels)
    assert f"exponent {curves.exponent:.2f}" in axis.get_title()
    lines = [line for line in axis.get_lines() if line.get_label() == "Theorem V (ours)"]
    assert list(lines[0].get_ydata()) == curves.bounds["Theorem V"].values


def test_the_slope_is_that_of_weighted_least_squares() -> None:
    x, y, errors = (
        torch.tensor(v).numpy() for v in ([0.0, 1, 3], [1.0, 0.2, -1.5], [0.1, 0.2, 0.1])
    )
    design = torch.tensor([[1.0, v] for v in x]) / torch.tensor(errors)[:, None]
    solution = torch.linalg.lstsq(design, torch.tensor(y / errors)[:, None]).solution
    interval = angles._slope(x, y, errors, 10)
    assert interval.mean == pytest.approx(float(solution[1]), rel=1e-5)
    covariance = torch.linalg.inv(design.T @ design)
    assert interval.stderr == pytest.approx(math.sqrt(float(covariance[1, 1])), rel=1e-5)
