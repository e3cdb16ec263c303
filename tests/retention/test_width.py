import math

import pytest
import torch

from preimage.retention.kernel_ridge import Problem, errors_by_ridge, feature_problem
from preimage.retention.width import Radii, WidthCurve

RIDGES = (1e-2, 1e-4)


def gaussian_problem(count=40, held_out=30, seed=0):
    """Positions with a kernel of eigenvalues that fall as a power; targets that it can read."""
    generator = torch.Generator().manual_seed(seed)
    total = count + held_out
    basis = torch.linalg.qr(torch.randn(total, total, generator=generator, dtype=torch.float64))[0]
    values = torch.arange(1, total + 1, dtype=torch.float64) ** -1.5
    root = basis * values.sqrt()
    k = root @ root.T
    y = 100 * root @ torch.randn(total, 2, generator=generator, dtype=torch.float64)
    numbers = torch.arange(count)
    problem = Problem(
        k[:count, :count],
        k[count:, :count],
        k.diagonal()[count:],
        y[:count],
        y[count:],
        numbers,
        torch.arange(held_out),
    )
    return root, problem


@pytest.mark.parametrize("fan_in", [0, 6])
@pytest.mark.parametrize("width", [24, 90])
def test_the_mean_error_of_random_features_is_as_predicted(width, fan_in):
    """Below and above the number of positions; with filters of one length and of any."""
    root, problem = gaussian_problem()
    generator = torch.Generator().manual_seed(width)
    draws = 150
    found = []
    for _ in range(draws):
        z = torch.randn(root.shape[1], width, generator=generator, dtype=torch.float64)
        features = root @ z
        if fan_in:
            g = torch.randn(fan_in, width, generator=generator, dtype=torch.float64)
            features = features * (g.square().sum(0) / fan_in).sqrt()
        count = len(problem.gram)
        found.append(
            errors_by_ridge(feature_problem(features[:count], features[count:], problem), RIDGES)
        )
    curve = WidthCurve(problem, Radii.of_gaussian(fan_in) if fan_in else Radii())
    for index, ridge in enumerate(RIDGES):
        errors = torch.tensor([errors[index] for errors in found], dtype=torch.float64)
        stderr = float(errors.std()) / draws**0.5
        # Corrections of order 1/width² remain: some per cent of the error at width 24.
        expected = curve.mse(width, ridge)
        assert abs(float(errors.mean()) - expected) < 4 * stderr + 0.04 * expected


def test_at_infinite_width_it_is_kernel_ridge_regression():
    _, problem = gaussian_problem()
    curve = WidthCurve(problem)
    for ridge, expected in zip(RIDGES, errors_by_ridge(problem, RIDGES), strict=True):
        assert curve.mse(math.inf, ridge) == pytest.approx(expected, rel=1e-9)
        assert curve.mse(10**7, ridge) == pytest.approx(expected, rel=1e-4)
        errors = [curve.mse(width, ridge) for width in (60, 120, 1000)]
        assert errors == sorted(errors, reverse=True)
    best = curve.best(100, RIDGES)
    assert best == min((curve.mse(100, ridge), ridge) for ridge in RIDGES)


def test_radii_have_mean_one_and_the_variance_of_chi_square():
    radii = Radii.of_gaussian(27)
    mean = sum(v * w for v, w in zip(radii.values, radii.weights, strict=True))
    second = sum(v * v * w for v, w in zip(radii.values, radii.weights, strict=True))
    assert mean == pytest.approx(1, rel=1e-9)
    assert second - mean**2 == pytest.approx(2 / 27, rel=1e-6)
    assert Radii().alpha(0.25) == pytest.approx(0.75)
    assert radii.alpha(0.25) < 0.75
    assert radii.alpha(1.2) == 0
    assert Radii().gamma(0.75, 0.25) == pytest.approx(1)
