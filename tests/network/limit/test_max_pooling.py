import math

import pytest
import torch
from theory.nets import photo

from preimage import Conv, Description, Pool
from preimage.network.limit.max_pooling import Directions
from preimage.network.operations import ChannelMean
from preimage.theory import limit, sampled_limit


def test_one_pixel_windows_are_exact():
    """A 1 × 1 max pool does nothing: E act² of a single Gaussian, whose direction is a sign."""
    ops = [Conv("a", 2), Pool("p", "max", 1, 1), Conv("b", 2), ChannelMean()]
    net = Description("1x1 pool", tuple(ops), 3).with_normalisation()
    for slope in (0.0, 0.2):
        leaky = net.with_activation(slope)
        f_star, stderr = sampled_limit(leaky, photo(), num_samples=2, num_repeats=2)
        plain = Description("none", (ops[0], *ops[2:]), 3).with_activation(slope)
        torch.testing.assert_close(f_star, limit(plain.with_normalisation(), photo()))
        assert float(stderr.max()) < 1e-12


def test_equal_features_in_a_window_have_their_own_maximum():
    """1 × 1 convolutions of a flat image: every window holds one value, which is its maximum."""
    ops = [Conv("a", 2, 1, padding=(0, 0)), Pool("p", "max"), Conv("b", 2, 1, padding=(0, 0))]
    net = Description("flat", (*ops, ChannelMean()), 3).with_normalisation()
    image = torch.ones(1, 3, 5, 4, dtype=torch.float64)
    f_star, _ = sampled_limit(net, image, num_samples=4096)
    expected = limit(net.with_pool("avg"), image)
    torch.testing.assert_close(f_star, expected, rtol=0.03, atol=0)


def test_directions_have_one_length_and_their_opposites() -> None:
    z = Directions(64, seed=3).draw(5, torch.zeros(1))
    torch.testing.assert_close(z.norm(dim=0), torch.full((64,), math.sqrt(5)).double())
    assert torch.equal(z[:, 32:], -z[:, :32])
    assert torch.equal(z, Directions(64, seed=3).draw(5, torch.zeros(1)))


def test_the_larger_of_two_independent_features() -> None:
    """Two orthogonal pixels: E max(relu g, relu h)² = ¾ + 1/2π, against E relu(g)² = ½.

    The image is lower than the pooling's window.
    """
    ops = (
        Conv("a", 2, 1, padding=(0, 0)),
        Pool("p", "max"),
        Conv("b", 2, 1, padding=(0, 0)),
        ChannelMean(),
    )
    net = Description("two pixels", ops, 2).with_normalisation()
    image = torch.eye(2, dtype=torch.float64)[None, :, None, :]  # (1, 2, 1, 2)
    f_star, stderr = sampled_limit(net, image, num_samples=4096)
    one = limit(net.with_pool("avg"), torch.ones_like(image[..., :1]) / 2**0.5)
    expected = one * math.sqrt((3 / 4 + 1 / (2 * math.pi)) / (1 / 2))
    assert float(f_star) == pytest.approx(float(expected), abs=4 * float(stderr))
    assert float(stderr) < 0.02 * float(expected)
