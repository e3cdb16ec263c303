import math

import pytest
import torch
from scipy import stats

from preimage import Law
from preimage.theory import (
    concentration_angle_bound,
    gaussian_moments,
    limit,
    marginal_moments,
    sample_isotropic,
    sampled_effective_constant,
    sharper_angle_bound,
    two_layer,
    two_layer_angle_bound,
)
from theory.nets import convs, outputs, photo, square_sines, threshold, vgg, z_scores

WIDTH, COUNT = 256, 1500


@pytest.fixture(scope="module")
def sines():
    net, image = convs(1, WIDTH), photo()
    return square_sines(outputs(net, image, COUNT), limit(net, image, "gaussian:0.5"))


def test_covariance_is_that_of_many_networks():
    net, image = convs(1, 8, slope=0.2), photo(4, 3)
    f = outputs(net, image, 1500, "gaussian:1")
    centred = f - limit(net, image, "gaussian:1").flatten()
    products = 8 * centred[:, :, None] * centred[:, None, :]
    expected = two_layer(net, image).covariance
    assert z_scores(products, expected).abs().max() < threshold(expected.numel())


def test_effective_constant_is_the_mean_square_angle(sines):
    network = two_layer(convs(1, WIDTH), photo())
    assert 0 < network.effective_constant < 0.2 * (math.pi - 1)
    z = (sines.mean() * WIDTH - network.effective_constant) / (WIDTH * sines.std() / COUNT**0.5)
    # What is left is of order K_eff/N: relative 1/256 of it, far below the noise.
    assert abs(float(z)) < threshold(1)
    assert float(network.spectrum.sum()) == pytest.approx(network.effective_constant)


def test_sampled_effective_constant_agrees_with_the_exact_one():
    generator = torch.Generator().manual_seed(2)
    for slope in (0.0, 0.2):
        net = convs(1, 8, slope=slope)
        estimate = sampled_effective_constant(net, photo(), generator, 4096)
        exact = two_layer(net, photo()).effective_constant
        assert abs(estimate.value - exact) < threshold(2) * estimate.stderr


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9, 0.95])
def test_quantiles_hold_from_both_sides(sines, probability):
    quantile = two_layer(convs(1, WIDTH), photo()).predicted_angle_quantile(probability)
    above = int((sines.sqrt() > quantile).sum())
    sd = math.sqrt(COUNT * probability * (1 - probability))
    # To leading order in 1/N: a shift of a few over N = 256, relative, is within the noise.
    assert abs(above - COUNT * (1 - probability)) < threshold(4) * sd


@pytest.mark.parametrize("delta", [0.05, 0.5])
def test_bounds_hold_and_are_ordered(sines, delta):
    network = two_layer(convs(1, WIDTH), photo())
    paper, sharp = two_layer_angle_bound(WIDTH, delta), sharper_angle_bound(network, delta)
    measured = float(sines.sqrt().quantile(1 - delta))
    assert measured < sharp < paper < 1
    for bound in (paper, sharp, concentration_angle_bound(network, delta)):
        violated = int((sines.sqrt() > bound).sum())
        assert stats.binom.sf(violated - 1, COUNT, delta) > 1e-4
    # The quantile is the truth; the paper's bound is several times as large.
    assert paper / measured > 3


def test_concentration_wins_for_tiny_delta():
    network = two_layer(convs(1, WIDTH), photo())
    assert concentration_angle_bound(network, 1e-12) < two_layer_angle_bound(WIDTH, 1e-12)
    with pytest.raises(ValueError, match="Gaussian filters and ReLU"):
        concentration_angle_bound(two_layer(convs(1, 8, slope=0.2), photo()), 0.1)


def test_concentration_refuses_another_slope_whatever_the_moments():
    network = two_layer(convs(1, 8, slope=0.2), photo())._replace(moments=gaussian_moments())
    with pytest.raises(ValueError, match="Gaussian filters and ReLU"):
        concentration_angle_bound(network, 0.1)


def test_isotropic_laplace_filters_converge_as_their_own_constants_say():
    """E‖f − f*‖²/‖f*‖² = K_1/N, K_1 = 3, of filters that are a scalar times a Gaussian."""
    law, width, count = Law("laplace", 1.0), 64, 2000
    patches = two_layer(convs(1, width), photo()).patches
    generator = torch.Generator().manual_seed(4)
    moments = marginal_moments(law)
    f_star = moments.k1 * patches.norm(dim=0)
    errors = []
    for _ in range(count):
        f = (sample_isotropic(law, width, len(patches), generator) @ patches).relu().mean(0)
        errors.append((f - f_star).square().sum() / f_star.square().sum())
    assert pytest.approx(3) == moments.K1
    assert abs(float(z_scores(torch.stack(errors)[:, None], 3 / width))) < threshold(1)


def _correlations(f, f_star):
    f, f_star = f - f.mean(1, keepdim=True), f_star - f_star.mean()
    return f @ f_star / (f.norm(dim=1) * f_star.norm())


def test_pearson_loss_is_the_mean_of_many_networks():
    net, image = convs(1, WIDTH), photo()
    f_star = limit(net, image, "gaussian:0.5").flatten()
    f = outputs(net, image, COUNT)
    loss = two_layer(net, image).pearson_loss
    sample = 1 - _correlations(f, f_star).square()
    # Leading order: what is left is of the order of loss²; allow twice that.
    slack = 2 * loss**2
    assert abs(float(sample.mean()) - loss) < 4 * float(sample.std()) / COUNT**0.5 + slack


def test_pearson_loss_counts_black_pixels():
    """Six rows of nine are black: five rows of patches are, and f and f* are 0 there."""
    net, image = convs(1, WIDTH), photo()
    image[..., :6, :] = 0
    f_star = limit(net, image, "gaussian:0.5").flatten()
    sample = 1 - _correlations(outputs(net, image, COUNT), f_star).square()
    loss = two_layer(net, image).pearson_loss
    assert abs(float(sample.mean()) - loss) < 4 * float(sample.std()) / COUNT**0.5 + 2 * loss**2


def test_a_flat_limit_has_no_correlation():
    net = convs(1, 4, kernel=1)
    with pytest.raises(ValueError, match="not have a flat limit"):
        _ = two_layer(net, torch.full((1, 3, 4, 5), 0.3)).pearson_loss
    image = torch.full((1, 3, 4, 5), 0.3)
    image[..., 0, 0] = 0
    assert 0 <= two_layer(net, image).pearson_loss < 1e-12  # one black pixel, all else equal


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="for two layers"):
        two_layer(convs(2, 4), photo())
    with pytest.raises(ValueError, match="for two layers"):
        two_layer(vgg(), photo())
    with pytest.raises(ValueError, match="not black, got 0"):
        two_layer(convs(1, 4), torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match="sampled_effective_constant"):
        two_layer(convs(1, 4), torch.ones(1, 3, 100, 100))
    with pytest.raises(ValueError, match="must not be black"):
        sampled_effective_constant(convs(1, 4), torch.zeros(1, 3, 4, 4), torch.Generator())
    with pytest.raises(ValueError, match="`width` must be at least 1, got 0"):
        two_layer_angle_bound(0, 0.1)


def test_leaky_relu_has_the_constants_of_its_moments():
    net = convs(1, 8, slope=0.2)
    for given in (None, gaussian_moments()):
        assert two_layer(net, photo(), given).moments == gaussian_moments(slope=0.2)
