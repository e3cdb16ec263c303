import numpy as np
import pytest
import torch
from theory.nets import outputs, photo, threshold, vgg

from preimage import Conv, Description, Pool
from preimage.network.operations import ChannelMean
from preimage.theory import limit, limit_bracket, sampled_limit


def max_net(layer="conv1", width=16, pooled=True):
    return vgg(layer, "max", "nearest", width, pooled)


@pytest.mark.parametrize(("layer", "pooled"), [("conv1", True), ("conv2", True)])
def test_sampled_limit_is_what_wide_networks_tend_to(layer, pooled):
    """One pool needs single windows, two need pairs of windows. 2 · mean(2N) − mean(N)."""
    image, count = photo(7, 6), 80
    net = max_net(layer, 32, pooled)
    f_star, stderr = sampled_limit(net, image, "gaussian:0.5", num_samples=256)
    half, full = (
        outputs(net.with_width(width), image, count, first=first) / f_star.flatten()
        for width, first in ((32, 0), (64, 500))
    )
    brightness = 2 * full.mean(1) - half.mean(1)
    noise = float(brightness.std()) / count**0.5 + float((stderr / f_star).max())
    most = threshold(2 * (f_star.numel() + 1))
    assert abs(float(brightness.mean()) - 1) < most * noise
    contrast = [part - part.mean(1, keepdim=True) for part in (full, half)]
    value = 2 * contrast[0].mean(0) - contrast[1].mean(0)
    variance = 4 * contrast[0].var(0) / count + contrast[1].var(0) / count
    variance = variance + 2 * (stderr / f_star).flatten().square()
    assert (value / variance.sqrt()).abs().max() < most


@pytest.mark.parametrize("kernel", [(2, 2), (3, 2)])
def test_limit_lies_in_its_bracket(kernel):
    """Clipped and overlapping windows too, on images with dark pixels."""
    ops = (
        Conv("a", 2),
        Pool("p", "max", *kernel),
        Conv("b", 2),
        ChannelMean(),
    )
    net = Description("one pool", ops, 1).with_normalisation()
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.random((1, 1, 9, 7)) * (rng.random((1, 1, 9, 7)) < 0.7))
    f_star, stderr = sampled_limit(net, image, num_samples=256)
    lower, upper = limit_bracket(net, image)
    assert (lower <= f_star + 5 * stderr).all()
    assert (f_star <= upper + 5 * stderr).all()
    average = limit(net.with_pool("avg"), image)
    assert (lower >= average - 1e-12).all()


def test_bracket_of_two_pools_is_a_quarter_to_one():
    net = max_net("conv2")
    lower, upper = limit_bracket(net, photo(9, 7))
    torch.testing.assert_close(lower, upper / 4)
    f_star, _ = sampled_limit(net, photo(9, 7), num_samples=64, num_repeats=2)
    assert ((lower < f_star) & (f_star < upper)).all()


def test_the_same_seed_gives_the_same_estimate():
    net = max_net()
    first, again = (sampled_limit(net, photo(), num_samples=32, num_repeats=2) for _ in range(2))
    other = sampled_limit(net, photo(), num_samples=32, num_repeats=2, seed=1)
    assert torch.equal(first.image, again.image)
    assert not torch.equal(first.image, other.image)


def test_what_can_not_be_sampled_is_refused():
    with pytest.raises(ValueError, match="`num_repeats` must be at least 2, got 1"):
        sampled_limit(max_net(), photo(), num_repeats=1)
    with pytest.raises(ValueError, match="use `sampled_limit`"):
        limit_bracket(max_net().with_activation(0.2), photo())
    ops = (Conv("a", 2), Pool("p", "max"), Conv("b", 2, slope=1.5), ChannelMean())
    with pytest.raises(ValueError, match=r"slopes to 1 in the last convolution, got 1\.5"):
        limit_bracket(Description("negative", ops), photo())
    twice = (Conv("a", 2), Pool("p", "max"), Pool("q", "max"), Conv("b", 2), ChannelMean())
    with pytest.raises(ValueError, match="q: max pooling is sampled from the Gaussian features"):
        sampled_limit(Description("twice", twice), photo())
