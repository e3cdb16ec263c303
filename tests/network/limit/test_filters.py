import math

import pytest
import torch
from scipy import integrate, stats
from theory.nets import threshold, z_scores

from preimage import Law
from preimage.theory import (
    excess_kurtosis,
    gaussian_moments,
    iid_moments,
    marginal_moments,
    relu_correlation,
    relu_square_correlation,
    sample_isotropic,
)

LAWS = {
    "gaussian": stats.norm(),
    "uniform": stats.uniform(-1, 2),
    "logistic": stats.logistic(),
    "laplace": stats.laplace(),
}


@pytest.mark.parametrize("family", LAWS)
def test_marginal_moments_are_half_the_absolute_moments(family):
    moments = marginal_moments(Law(family, 0.3))
    for m, ours in ((1, moments.k1), (2, moments.k2), (4, moments.k4)):

        def weighted(w, m=m):
            return (0.3 * w) ** m * LAWS[family].pdf(w)

        half, _ = integrate.quad(weighted, 0, 1 if family == "uniform" else 60)
        assert ours == pytest.approx(half, rel=1e-7)
    assert excess_kurtosis(Law(family, 1.0)) == pytest.approx(float(LAWS[family].stats("k")))


@pytest.mark.parametrize(
    ("family", "K1", "K2"),
    [("gaussian", math.pi - 1, 5), ("uniform", 5 / 3, 13 / 5), ("laplace", 3, 11)],
)
def test_relative_variances_of_the_table(family, K1, K2):
    moments = marginal_moments(Law(family, 0.04))
    assert pytest.approx((K1, K2)) == (moments.K1, moments.K2)


def test_relative_variances_of_leaky_relu():
    moments = gaussian_moments(slope=0.2)
    assert pytest.approx(1.04 * math.pi / 0.64 - 1) == moments.K1
    assert pytest.approx(4.556, abs=5e-4) == moments.K2
    assert math.inf == gaussian_moments(slope=1.0).K1


def test_a_law_without_scale_takes_its_std_from_the_fan_in():
    assert marginal_moments(Law("uniform"), 0.2, 27).k2 == pytest.approx(1 / 27)


@pytest.mark.parametrize("slope", [0.0, 0.2, -0.5])
@pytest.mark.parametrize("c", [-0.9, -0.3, 0.0, 0.4, 0.95])
def test_correlations_equal_their_double_integrals(c, slope):
    """h and J by Gauss-Hermite quadrature in the plane's polar angle: exact up to the kink."""
    angle = torch.linspace(0, 2 * math.pi, 400_001, dtype=torch.float64)[:-1]
    first = angle.cos()
    second = c * angle.cos() + math.sqrt(1 - c * c) * angle.sin()
    act = [torch.nn.functional.leaky_relu(g, slope) for g in (first, second)]
    # E r² = 2 and E r⁴ = 8 of the radius.
    products = 2 * (act[0] * act[1]).mean(), 8 * (act[0] * act[1]).square().mean()
    moments = gaussian_moments(slope=slope)
    at = torch.tensor(c, dtype=torch.float64)
    h, j = relu_correlation(at, slope), relu_square_correlation(at, slope)
    assert moments.k2 * float(h) == pytest.approx(float(products[0]), rel=1e-6, abs=1e-7)
    assert moments.k4 * float(j) == pytest.approx(float(products[1]), rel=1e-6, abs=1e-7)


def test_correlations_are_one_at_one():
    one = torch.ones(1, dtype=torch.float64)
    for slope in (0.0, 0.2):
        assert float(relu_correlation(one, slope)) == pytest.approx(1)
        assert float(relu_square_correlation(one, slope)) == pytest.approx(1)


@pytest.mark.parametrize("family", ["gaussian", "logistic", "laplace"])
def test_isotropic_filters_have_the_table_moments(family):
    law = Law(family, 0.7)
    generator = torch.Generator().manual_seed(3)
    patch = torch.linspace(0.1, 1, 27, dtype=torch.float64)
    projection = sample_isotropic(law, 40_000, 27, generator) @ (patch / patch.norm())
    moments = marginal_moments(law)
    sample = torch.stack([projection.relu() ** m for m in (1, 2)], 1)
    expected = torch.tensor([moments.k1, moments.k2], dtype=torch.float64)
    assert z_scores(sample, expected).abs().max() < threshold(3 * 2)


def test_no_isotropic_filter_is_uniform():
    generator = torch.Generator()
    with pytest.raises(ValueError, match="uniform marginals"):
        sample_isotropic(Law("uniform", 1.0), 2, 9, generator)
    with pytest.raises(ValueError, match="needs a scale"):
        sample_isotropic(Law("gaussian"), 2, 9, generator)


@pytest.mark.parametrize("family", ["uniform", "logistic", "laplace"])
def test_iid_filters_are_nearer_the_gaussian_than_their_own_law(family):
    """k_1 with its kurtosis correction, k_2 and k_4, from draws of i.i.d. filters, fan-in 27."""
    law = Law(family, 1.0)
    generator = torch.Generator().manual_seed(5)
    patch = torch.linspace(0.2, 1, 27, dtype=torch.float64)
    patch = patch / patch.norm()
    sample = (law.sample((200_000, 27), generator).double() @ patch).relu()
    departure, moments = iid_moments(law, patch)
    assert float(departure) == pytest.approx(excess_kurtosis(law) * float(patch.pow(4).sum()))
    powers = torch.stack([sample**m for m in (1, 2, 4)], 1)
    expected = torch.tensor([moments.k1, moments.k2, moments.k4], dtype=torch.float64)
    # The correction is of first order in κS ≈ 0.1: what is left of k_1 is below κS²/24.
    slack = torch.tensor([moments.k1 * float(departure) ** 2 / 24, 0, 0], dtype=torch.float64)
    stderr = powers.std(0) / len(powers) ** 0.5
    off = (powers.mean(0) - expected).abs()
    assert (off < threshold(3 * 3) * stderr + slack).all()
    own = marginal_moments(law)
    assert abs(own.k1 - moments.k1) > 8 * float(stderr[0])


def test_a_black_patch_has_no_direction():
    with pytest.raises(ValueError, match="all zero"):
        iid_moments(Law("laplace", 1.0), torch.zeros(9))
