"""A linear fit from its sums against numpy's least squares on the samples."""

import numpy as np
import pytest
import torch
from torch import Tensor

from preimage.decoders import normal_equations
from preimage.decoders.normal_equations import NormalEquations


def sums(x: Tensor, y: Tensor) -> NormalEquations:
    return NormalEquations(x.T @ x, x.T @ y, x.sum(0), y.sum(0), float(y.square().sum()), len(x))


@pytest.fixture
def samples(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    x = torch.randn(50, 6, generator=generator, dtype=torch.float64) + 3
    noise = torch.randn(50, 2, generator=generator, dtype=torch.float64)
    return x, x[:, :2] * 2 - x[:, 3:5] + 7 + noise


def test_without_a_ridge_it_is_lstsq(samples: tuple[Tensor, Tensor]) -> None:
    x, y = samples
    solution = sums(x, y).solve(0.0)
    assert solution is not None
    with_one = np.column_stack([x.numpy(), np.ones(50)])
    expected = np.linalg.lstsq(with_one, y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(solution[0].numpy(), expected[:-1], rtol=1e-9)
    np.testing.assert_allclose(solution[1].numpy(), expected[-1], rtol=1e-9)


def test_the_ridge_is_relative_and_leaves_the_intercept(samples: tuple[Tensor, Tensor]) -> None:
    """The gradient of Σ |y − Wᵀx − b|² + λ |W|² is 0, λ the ridge times the mean variance · n."""
    x, y = samples
    solution = sums(x, y).solve(0.5)
    assert solution is not None
    weight, bias = solution
    strength = 0.5 * float((x - x.mean(0)).square().sum(0).mean())
    residual = x @ weight + bias - y
    gradient = x.T @ residual + strength * weight
    assert float(gradient.abs().max()) < 1e-9 * float((x.T @ y).abs().max())
    torch.testing.assert_close(residual.mean(0), torch.zeros(2, dtype=torch.float64))
    # Features ten times as large: the same predictions.
    scaled = sums(10 * x, y).solve(0.5)
    assert scaled is not None
    torch.testing.assert_close(10 * x @ scaled[0] + scaled[1], x @ weight + bias)


def test_a_gram_matrix_that_is_singular_has_no_solution() -> None:
    x = torch.ones(10, 3, dtype=torch.float64)  # no variance at all
    assert sums(x, x[:, :1]).solve(0.0) is None


def test_sums_of_parts_add_up(samples: tuple[Tensor, Tensor]) -> None:
    x, y = samples
    whole, parts = sums(x, y), sums(x[:20], y[:20]) + sums(x[20:], y[20:])
    assert parts.count == 50
    assert parts.sum_yy == pytest.approx(whole.sum_yy)
    for name in ("gram", "cross", "sum_x", "sum_y"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name))


def test_squared_error_is_that_of_the_windows(generator: torch.Generator) -> None:
    x, y, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((50, 6), (50, 2), (6, 2), (2,))
    )
    sums = NormalEquations(x.T @ x, x.T @ y, x.sum(0), y.sum(0), float(y.square().sum()), len(x))
    expected = float((x @ weight + bias - y).square().sum())
    assert sums.squared_error(weight, bias) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("large", [2048, 5])  # one decomposition for all, a solution for each
def test_errors_of_many_ridges_are_those_of_each_solution(
    samples: tuple[Tensor, Tensor], large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normal_equations, "LARGE", large)
    x, y = samples
    fit, held_back = sums(x[:30], y[:30]), sums(x[30:], y[30:])
    ridges = (1e-6, 1e-2, 1.0, 30.0)
    errors = fit.errors_on(held_back, ridges)
    for ridge in ridges:
        solution = fit.solve(ridge)
        assert solution is not None
        assert errors[ridge] == pytest.approx(held_back.squared_error(*solution), rel=1e-9)


def test_a_ridge_too_small_for_its_gram_is_left_out(samples: tuple[Tensor, Tensor]) -> None:
    x, y = samples
    twice = torch.cat([x, x], 1)
    fit, held_back = sums(twice[:30], y[:30]), sums(twice[30:], y[30:])
    assert list(fit.errors_on(held_back, (0.0, 1e-30, 1e-3))) == [1e-3]
