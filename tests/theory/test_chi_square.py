import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from preimage.theory import mixture_cdf, mixture_quantile


@pytest.mark.parametrize("dof", [1, 2, 5, 40])
def test_equal_weights_give_a_chi_square_law(dof):
    weights = torch.full((dof,), 0.7)
    for probability in (0.01, 0.5, 0.95, 0.999):
        exact = 0.7 * stats.chi2.ppf(probability, dof)
        assert mixture_cdf(weights, float(exact)) == pytest.approx(probability, abs=2e-6)
        assert mixture_quantile(weights, probability) == pytest.approx(exact, rel=2e-3)


def test_two_different_pairs_of_weights_have_a_closed_form():
    """μ = (a, a, b, b): a sum of two exponentials of means 2a and 2b."""
    a, b, x = 1.0, 0.25, 1.7
    exact = 1 - (a * math.exp(-x / 2 / a) - b * math.exp(-x / 2 / b)) / (a - b)
    assert mixture_cdf(torch.tensor([a, a, b, b]), x) == pytest.approx(exact, abs=1e-8)


def test_small_weights_shift_the_law():
    """P(χ²_1 + 1e-9 χ²_1 ≤ 1e-4) is that of χ²_1 alone, to 5e-6 relative."""
    found = mixture_cdf(torch.tensor([1, 1e-9], dtype=torch.float64), 1e-4)
    assert found == pytest.approx(stats.chi2.cdf(1e-4, 1), rel=1e-5)
    assert mixture_cdf(torch.ones(2), 1e-5) == pytest.approx(-math.expm1(-5e-6))
    few, many = torch.full((3,), 1.0), torch.full((1000,), 1e-7)
    shifted = mixture_cdf(torch.cat([few, many]), 0.5)
    assert shifted == pytest.approx(stats.chi2.cdf(0.5 - 1e-4, 3))


@pytest.mark.parametrize(("b", "error"), [(0.5, 2e-6), (1e-3, 5e-5), (1e-5, 2e-3)])
def test_accuracy_of_two_weights_is_the_documented_one(b, error):
    """The worst case, against quadrature over the smaller square."""
    for x in (1e-3, 0.05, 1.0, 20.0):
        nodes, weights = np.polynomial.legendre.leggauss(400)
        largest = math.sqrt(x / b)
        t = (nodes + 1) / 2 * math.asin(min(1, 12 / largest))
        z = largest * np.sin(t)
        values = 2 * stats.norm.pdf(z) * special.erf(math.sqrt(x / 2) * np.cos(t))
        exact = (weights * values * largest * np.cos(t)).sum() * t.max() / (nodes.max() + 1)
        found = mixture_cdf(torch.tensor([1.0, b], dtype=torch.float64), x)
        assert found == pytest.approx(exact, abs=error if x < 0.05 else 2e-6)


def test_weights_must_make_sense():
    with pytest.raises(ValueError, match="must be nonnegative"):
        mixture_cdf(torch.tensor([1.0, -0.1]), 1.0)
    with pytest.raises(ValueError, match="at least one of them positive"):
        mixture_quantile(torch.zeros(3), 0.5)
    with pytest.raises(ValueError, match="`probability`"):
        mixture_quantile(torch.ones(3), 1.0)
    assert mixture_cdf(torch.ones(2), 0.0) == 0
