import math

import pytest
import torch

from preimage import Conv, Description, Pool, Unpool
from preimage.network.operations import ChannelMean, Crop
from preimage.theory import (
    limit,
    mean_square_sine,
    relative_covariance,
    relative_std,
    two_layer,
)
from theory.nets import convs, outputs, photo, square_sines, threshold, vgg


def unpooled(kind, width):
    ops = (Conv("a", width), Unpool("un", kind), Conv("b", width), ChannelMean())
    return Description(f"up {kind}", ops, 3).with_normalisation()


def test_two_layers_agree_with_their_exact_covariance():
    net, image = convs(1, 8), photo(5, 4)
    exact = two_layer(net, image)
    scale = exact.moments.k1 * exact.z
    expected = exact.covariance / 8 / (scale[:, None] * scale)
    torch.testing.assert_close(relative_covariance(net, image), expected)
    assert mean_square_sine(net, image) == pytest.approx(exact.effective_constant / 8)


@pytest.mark.parametrize("net", [convs(3, 64), unpooled("nearest", 64), unpooled("zeros", 64)])
def test_leading_order_is_what_many_networks_show(net):
    """At width 64 what is left, of relative order 10/96, is allowed beside the noise."""
    image, count = photo(6, 5), 300
    f_star = limit(net, image, "gaussian:0.5").flatten()
    f = outputs(net, image, count)
    products = (f / f_star - 1)[:, :, None] * (f / f_star - 1)[:, None, :]
    expected = relative_covariance(net, image)
    stderr = products.std(0) / count**0.5
    off = (products.mean(0) - expected).abs()
    assert (off < threshold(3 * expected.numel()) * stderr + 0.1 * expected.abs().max()).all()
    sines = square_sines(f, f_star)
    predicted = mean_square_sine(net, image)
    noise = threshold(3) * float(sines.std()) / count**0.5
    assert abs(float(sines.mean()) - predicted) < noise + 0.1 * predicted


def cropped(width):
    """3 × 3 pixels of a strided convolution, 12 × 12 by zeros, of which the crop leaves 3 × 3."""
    ops = (
        Conv("small", width, 3, 3, padding=(1, 1)),
        Unpool("un", "zeros", 4),
        Conv("b", width),
        ChannelMean(),
        Crop("crop", "un"),
    )
    return Description("cropped", ops, 3).with_normalisation()


def test_a_crop_leaves_its_pixels():
    net, image, count = cropped(64), photo(), 600
    whole = Description("whole", net.operations[:-1], 3).with_normalisation()
    expected = relative_covariance(whole, image).reshape(12, 12, 12, 12)[:3, :3, :3, :3]
    torch.testing.assert_close(relative_covariance(net, image), expected.reshape(9, 9))
    sines = square_sines(outputs(net, image, count), limit(net, image, "gaussian:0.5"))
    predicted = mean_square_sine(net, image)
    assert abs(float(sines.mean()) - predicted) < 4 * float(sines.std()) / count**0.5
    # Power: the number of all pixels would be rejected.
    other = mean_square_sine(whole, image)
    assert abs(float(sines.mean()) - other) > 4 * float(sines.std()) / count**0.5


def test_the_hidden_term_is_needed_as_it_is():
    """Hidden width 64, last width 1024: nearly all the variance is the hidden one's."""
    ops = (Conv("a", 64), Conv("b", 1024, 3, 2), ChannelMean())
    net = Description("thin", ops, 3).with_normalisation()
    image, count = photo(6, 5), 300
    f = outputs(net, image, count) / limit(net, image, "gaussian:0.5").flatten()
    traces = (f - 1).square().mean(1)
    predicted = float(relative_covariance(net, image).diagonal().mean())
    hidden = predicted - (math.pi - 1) / 1024
    assert hidden > 0.8 * predicted
    noise = threshold(1) * float(traces.std()) / count**0.5
    assert abs(float(traces.mean()) - predicted) < noise
    assert noise < 0.4 * hidden  # half or twice as much would be rejected


def test_the_constant_patch_attains_the_practical_std():
    ops = [Conv(f"conv{i}", 7, 1, padding=(0, 0)) for i in range(3)]
    net = Description("1x1", (*ops, ChannelMean()), 3).with_normalisation()
    relative = relative_covariance(net, torch.ones(1, 3, 2, 2))
    assert relative.diagonal().sqrt() == pytest.approx(torch.full((4,), relative_std(net)))


def test_pools_and_large_images_are_refused():
    with pytest.raises(ValueError, match="has a pooling"):
        relative_covariance(vgg(), photo())
    behind = Description("behind", (*convs(1, 4).operations, Pool("end", "max")), 3)
    with pytest.raises(ValueError, match="end stands behind the last convolution"):
        relative_covariance(behind, photo())
    with pytest.raises(ValueError, match="black limit"):
        mean_square_sine(convs(2, 4), torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match="crop the image"):
        relative_covariance(convs(2, 4), torch.ones(1, 3, 70, 70))
    with pytest.raises(ValueError, match="needs l2 pooling and unpooling"):
        relative_covariance(unpooled("bilinear", 4), photo())
    with pytest.raises(ValueError, match="must be a single image"):
        relative_covariance(convs(2, 4), photo().expand(2, -1, -1, -1))
