import math

import numpy as np
import pytest
import torch
from scipy import stats

from preimage import Conv, Description, Law, Pool, Unpool, build
from preimage.network.operations import ChannelMean
from preimage.theory import (
    angle_bound,
    energies,
    energy_ratio,
    gaussian_moments,
    layer_variances,
    limit,
    marginal_moments,
    mean_bracket,
    mean_square_sine_bound,
    multilayer_angle_bound,
    relative_std,
    relative_variance_bound,
    std_image,
)
from theory.nets import convs, outputs, photo, square_sines, threshold, vgg, z_scores

K1, K2 = math.pi - 1, 5.0


def test_layer_variances_are_k_over_width():
    variances = layer_variances(convs(3, 20))
    assert variances.last == pytest.approx(K1 / 20)
    assert variances.hidden == pytest.approx((K2 / 20, K2 / 20))
    assert variances.total == pytest.approx((K1 + 10) / 20)
    assert variances.product == pytest.approx((1 + K1 / 20) * 1.25**2)
    leaky = layer_variances(convs(2, 10, slope=0.2))
    assert leaky.hidden == pytest.approx((gaussian_moments(slope=0.2).K2 / 10,))
    laplace = layer_variances(convs(2, 10), marginal_moments(Law("laplace", 1.0)))
    assert (laplace.last, *laplace.hidden) == pytest.approx((0.3, 1.1))


def test_numbers_of_the_table():
    """Theorem V at 6 × 6, and the widths from which it says anything (docs/theory.md)."""
    for width, expected in ((2, 0.961), (8, 0.701), (32, 0.299)):
        net = vgg("conv1", "l2", "zeros", width)
        assert mean_square_sine_bound(net) == pytest.approx(expected, abs=6e-4)
    for net, width in ((convs(2, 1), 138), (vgg("conv1"), 235), (vgg("conv2"), 625)):
        assert angle_bound(net.with_width(width), 0.05) < 1
        assert angle_bound(net.with_width(width - 1), 0.05) > 1


def test_theorem_v_is_never_worse_than_the_first_term_of_theorem_5_3():
    for width in (1, 8, 64, 4096):
        for net in (convs(1, width), convs(3, width), vgg("conv2", width=width)):
            variances = layer_variances(net)
            assert mean_square_sine_bound(net) <= variances.total


@pytest.mark.parametrize(
    ("net", "delta"), [(convs(2, 6), 0.9), (convs(3, 64), 0.3), (vgg("conv1", width=16), 0.7)]
)
def test_probabilistic_bounds_hold(net, delta):
    """The violated share is at most δ, but for binomial noise; E sin² is at most its bound."""
    image, count = photo(7, 6), 200
    sines = square_sines(outputs(net, image, count), limit(net, image, "gaussian:0.5"))
    bounds = [angle_bound(net, delta), multilayer_angle_bound(net, image, delta).bound]
    for bound in bounds:
        violated = int((sines.sqrt() > bound).sum())
        assert stats.binom.sf(violated - 1, count, delta) > 1e-4
    assert bounds[0] < 1
    stderr = float(sines.std() / count**0.5)
    assert float(sines.mean()) < mean_square_sine_bound(net) + 4 * stderr


def test_energy_variance_is_attained_by_a_single_pixel():
    """E(u/u* − 1)² = V for a 1 × 1 network: Theorem V's V can't be made smaller."""
    width, count = 12, 1500
    ops = [Conv(f"conv{i}", width, 1, padding=(0, 0)) for i in range(3)]
    net = Description("one pixel", (*ops, ChannelMean()), 3).with_normalisation()
    hidden = Description("hidden", net.operations[:2], 3)
    x = torch.tensor([0.3, 0.5, 0.9], dtype=torch.float64).reshape(1, 3, 1, 1)
    u = torch.stack(
        [
            build(hidden, "gaussian:1", seed=1, network_number=i, dtype=torch.float64)(x)
            .square()
            .sum()
            for i in range(count)
        ]
    ).detach()
    e = u / energies(net, x, "gaussian:1")[-1].squeeze() - 1
    v = layer_variances(net).energy_spread
    assert v == pytest.approx((1 + 5 / width) ** 2 - 1)
    sample = torch.stack([e, e.square()], 1)
    assert z_scores(sample, torch.tensor([0.0, v])).abs().max() < threshold(2)


def test_theorem_v_is_nearly_attained():
    """Pixels at right angles under one 1 × 1 convolution: E sin² Θ is within 2 % of the bound."""
    image = torch.eye(64).reshape(1, 64, 8, 8)
    for width in (2, 4):
        net = convs(1, width, kernel=1, channels=64)
        sines = square_sines(outputs(net, image, 400), limit(net, image, "gaussian:0.5"))
        bound, noise = mean_square_sine_bound(net), 4 * float(sines.std()) / 400**0.5
        assert 0.98 * bound - noise < float(sines.mean()) < bound + noise
        assert noise < 0.03 * bound


def test_std_image_is_within_its_bound_and_near_the_truth():
    image, count = photo(7, 5), 250
    net = vgg("conv1", "l2", "nearest", 32)
    f_star = limit(net, image, "gaussian:0.5").flatten()
    std = outputs(net, image, count).std(0) / f_star
    # The std of a std of so many near-normal draws is 1/√(2 count).
    assert std.max() < math.sqrt(relative_variance_bound(net)) * (1 + 4 / math.sqrt(2 * count))
    assert float(std.mean()) == pytest.approx(relative_std(net), rel=0.15)
    predicted = std_image(net, image, "gaussian:0.5").flatten()
    torch.testing.assert_close(predicted, f_star * relative_std(net))
    laplace = marginal_moments(Law("laplace", 1.0))
    other = std_image(net, image, "gaussian:0.5", laplace).flatten()
    torch.testing.assert_close(other, f_star * relative_std(net, laplace))


def test_relative_std_is_exact_for_two_layers():
    net, image = convs(1, 32), photo()
    sample = (outputs(net, image, 1500) / limit(net, image, "gaussian:0.5").flatten() - 1).square()
    assert relative_std(net) ** 2 == pytest.approx(K1 / 32)
    assert z_scores(sample, K1 / 32).abs().max() < threshold(sample.shape[1])


def test_lambdas_equal_the_definition_written_out():
    """λ_i from dense window matrices, against the separable ones."""
    net, image = convs(3, 4), photo(6, 5)
    bound = multilayer_angle_bound(net, image, 0.5)
    u = energies(net, image)[0].flatten().numpy()
    tri = [np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1) for n in (6, 5)]
    a = np.kron(*tri)
    expected = []
    for _ in range(2):
        size = math.sqrt(a.sum(1).max() * a.sum(0).max())
        expected.append(size * np.linalg.norm(u) / np.linalg.norm(a @ u))
        u = a @ u
    expected.append(math.sqrt(len(u)) * np.linalg.norm(u) / u.sum())
    assert bound.lambdas == pytest.approx(tuple(expected))
    assert min(bound.lambdas) >= 1
    assert bound.within_conditions


def test_printed_form_is_marked_where_windows_overlap():
    image = photo(8, 6)
    overlapping = multilayer_angle_bound(vgg("conv1"), image, 0.5, printed=True)
    assert not overlapping.within_conditions
    assert overlapping.bound > multilayer_angle_bound(vgg("conv1"), image, 0.5).bound
    tiles = Description(
        "tiles",
        (
            Conv("a", 8),
            Conv("b", 8, 2, 2, padding=(0, 0)),
            Conv("c", 8, 1, padding=(0, 0)),
            ChannelMean(),
        ),
    ).with_normalisation()
    disjoint = multilayer_angle_bound(tiles, image, 0.5, printed=True)
    assert disjoint.within_conditions
    # Here n = L − 2, so that nothing but the conditions was to be corrected.
    assert disjoint.bound == pytest.approx(multilayer_angle_bound(tiles, image, 0.5).bound)


def test_unpooling_by_zeros_and_nearest_costs_no_lambda():
    for kind in ("zeros", "nearest"):
        ops = (Conv("a", 8), Unpool("un", kind), Conv("b", 8, 1, padding=(0, 0)), ChannelMean())
        net = Description("up", ops).with_normalisation()
        assert multilayer_angle_bound(net, photo(5, 4), 0.5).lambdas[:2] == pytest.approx((1, 1))


def test_violated_conditions_are_named():
    image = photo(8, 6)
    with pytest.raises(ValueError, match="needs l2 pooling"):
        angle_bound(vgg("conv1", "avg"), 0.1)
    with pytest.raises(ValueError, match="needs l2 pooling and unpooling by zeros or nearest"):
        energy_ratio(vgg("conv1", "l2", "bilinear"))
    for last in (
        Pool("end", "avg"),
        Pool("end", "max"),
        Pool("end", "l2"),
        Unpool("end", "bilinear"),
    ):
        net = Description("behind", (*convs(1, 4).operations, last), 3)
        for statement in (energy_ratio, mean_bracket, relative_std, mean_square_sine_bound):
            with pytest.raises(ValueError, match=rf"end \({last.kind}\) stands behind"):
                statement(net)
        with pytest.raises(ValueError, match="stands behind"):
            std_image(net, image)
    with pytest.raises(ValueError, match="`delta` must be strictly between 0 and 1, got 1"):
        angle_bound(vgg("conv1"), 1.0)
    with pytest.raises(ValueError, match="must be a single image"):
        multilayer_angle_bound(vgg("conv1"), image.expand(2, -1, -1, -1), 0.1)
    with pytest.raises(ValueError, match="must not be black"):
        multilayer_angle_bound(vgg("conv1"), torch.zeros_like(image), 0.1)
