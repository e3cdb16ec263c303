import contextlib
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from unchecked import unchecked

from preimage import Conv, Description, Pool, Unpool, least_size
from preimage.network.operations import ChannelMean
from preimage.theory import (
    channel_norm,
    cosine_bound,
    limit,
    local_dissimilarity,
    route_counts,
    similarity_factor,
    two_layer_cosine_bound,
    window_sum_energy,
)
from theory.nets import convs, photo, vgg
from theory.strategies import network


def cosine(a, b):
    return float((a * b).sum() / (a.norm() * b.norm()))


@pytest.mark.parametrize("net", [vgg("conv1"), vgg("conv2", unpool="zeros")])
def test_cosine_is_that_of_the_limit(net):
    image = photo(9, 11)
    f = limit(net, image)[0, 0]
    assert cosine_bound(net, image).cosine == pytest.approx(
        cosine(f, torch.from_numpy(channel_norm(image)))
    )


def _random_pair(rng):
    ops = [("conv", int(rng.integers(1, 6)), int(rng.integers(0, 5)), True, 1)]
    for _ in range(rng.integers(1, 3)):
        if rng.random() < 0.4:
            ops.append(("pool", [(2, 2), (3, 2), (2, 1), (3, 3)][rng.integers(4)], True))
        else:
            ops.append(("conv", int(rng.integers(1, 6)), int(rng.integers(0, 5)), True, 1))
    ops.append(("conv", 3, 1, True, 1))
    channels = int(rng.choice([1, 3]))
    net = network((tuple(ops), 0.0, channels), "l2", str(rng.choice(["zeros", "nearest"])))
    least = least_size(net)
    size = tuple(int(n) for n in rng.integers(max(least, 4), max(least, 4) + 7, 2))
    image = torch.from_numpy(rng.random((1, channels, *size)) ** float(rng.choice([0.3, 1, 4])))
    return net, image


def test_bounds_are_never_violated_on_1000_random_images_and_networks():
    """Against the cosine of `limit` itself: 500 deep networks, and 500 of Theorem 5.4."""
    rng = np.random.default_rng(0)
    for index in range(1000):
        net, image = _random_pair(rng)
        with contextlib.nullcontext() if index < 20 else unchecked():
            if index % 2 == 0:
                kernel = int(rng.integers(1, 10))
                net = convs(1, 1, kernel, image.shape[1])
                found = two_layer_cosine_bound(image, kernel)
            else:
                found = cosine_bound(net, image)
            truth = cosine(limit(net, image)[0, 0], image[0].square().sum(0).sqrt())
        assert found.cosine == pytest.approx(truth, rel=1e-9)
        assert found.printed_bound <= found.corrected_bound + 1e-12
        assert found.corrected_bound <= truth + 1e-9


def test_theorem_5_4_as_printed_with_padded_zeros_counted():
    image = photo(8, 7, channels=1)
    x = image[0, 0]
    for kernel in (1, 3, 5, 7):
        mean = F.avg_pool2d(x[None, None], kernel, 1, kernel // 2, count_include_pad=True)[0, 0]
        expected = 1 - float((x * (x - mean)).sum() / x.square().sum())
        found = two_layer_cosine_bound(image, kernel)
        assert found.printed_bound == pytest.approx(expected)
        assert found.printed_bound <= found.corrected_bound <= found.cosine + 1e-12
    assert kernel == 7 == image.shape[3]
    wide = two_layer_cosine_bound(image, 19)
    mean = F.avg_pool2d(x[None, None], 19, 1, 9, count_include_pad=True)[0, 0]
    expected = 1 - float((x * (x - mean)).sum() / x.square().sum())
    assert wide.printed_bound == pytest.approx(expected)
    assert two_layer_cosine_bound(image, 1).cosine == pytest.approx(1)


def test_the_mean_of_the_pixels_inside_would_make_theorem_5_4_false():
    """A constant image: the valid-pixel mean claims cos Φ ≥ 1, the truth is 0.995 at 12 × 12."""
    image = torch.ones(1, 1, 12, 12)
    found = two_layer_cosine_bound(image, 3)
    assert found.cosine == pytest.approx(0.995, abs=5e-4)
    mean = F.avg_pool2d(image, 3, 1, 1, count_include_pad=False)
    claimed = 1 - float((image * (image - mean)).sum() / image.square().sum())
    assert claimed == pytest.approx(1)
    assert claimed > found.cosine > found.printed_bound


def test_route_counts_equal_counting():
    ops = (Conv("a", 1), Pool("p", "l2"), ChannelMean())
    reached, used = route_counts(Description("x", ops, 1), 3, 5)
    counted = F.conv2d(torch.ones(1, 1, 3, 5), torch.ones(1, 1, 3, 3), padding=1)
    counted = F.avg_pool2d(counted, 2, 2, ceil_mode=True, divisor_override=1)[0, 0]
    np.testing.assert_array_equal(reached, counted)
    assert reached.sum() == used.sum()


def test_a_normalisation_is_refused():
    description = Description("x", (Conv("a", 1), ChannelMean()), 1).with_input((0.0,), (2.0,))
    with pytest.raises(ValueError, match=r"normalise: .* apply it to the image"):
        cosine_bound(description, torch.ones(1, 1, 3, 5))


def test_the_flat_image_is_capped_by_the_grid_of_zero_insertion():
    """Windows that hold 1, 2, 2 and 4 sites: cos ≤ (1 + 2√2 + 2)/√(4 · 9) = 0.9714."""
    image = torch.ones(1, 3, 64, 64)
    found = cosine_bound(vgg("conv1", unpool="zeros"), image)
    assert found.cosine == pytest.approx((3 + 2 * math.sqrt(2)) / 6, abs=0.01)
    assert found.cosine < (3 + 2 * math.sqrt(2)) / 6


def test_images_must_be_positive():
    with pytest.raises(ValueError, match=r"must not be negative.*squares only"):
        two_layer_cosine_bound(-photo(), 3)
    with pytest.raises(ValueError, match="must not be black"):
        two_layer_cosine_bound(torch.zeros(1, 1, 4, 4), 3)
    with pytest.raises(ValueError, match="must be a single image"):
        channel_norm(photo().expand(2, -1, -1, -1))
    shrinking = Description("x", (Conv("a", 1, padding=(0, 0)), ChannelMean()))
    with pytest.raises(ValueError, match="as large as its input"):
        cosine_bound(shrinking, photo())


def test_networks_without_a_limit_are_refused():
    conv, mean = Conv("a", 1), ChannelMean()
    with pytest.raises(ValueError, match="has no limit"):
        cosine_bound(Description("no mean", (conv,)), photo())
    with pytest.raises(ValueError, match="slope 1"):
        cosine_bound(convs(1, 4, slope=1.0), photo())
    with pytest.raises(ValueError, match="does not commute with the mean"):
        cosine_bound(Description("pool", (conv, Pool("p", "l2", 1, 1), mean)), photo())
    with pytest.raises(ValueError, match=r"must be \(N, 3, H, W\)"):
        cosine_bound(convs(1, 4), photo(channels=1))
    unseen = (
        Conv("a", 1, 1, 2, padding=(0, 0)),
        Unpool("un", "zeros"),
        Conv("b", 1, 1, padding=(0, 0)),
        mean,
    )
    image = torch.zeros(1, 1, 4, 4)
    image[..., 1, 1] = 1
    with pytest.raises(ValueError, match="black limit"):
        cosine_bound(Description("unseen", unseen, 1), image)


# --- Lemma A.4 ------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [(1, 2), (2, 2), (3, 1), (6, 4)])
def test_lemma_a4_holds_for_windows_that_tile_the_image(window):
    generator = torch.Generator().manual_seed(0)
    for k in (1.0, 0.3):
        x = torch.randn(6, 4, generator=generator, dtype=torch.float64)
        sums = k * math.prod(window) * F.avg_pool2d(x[None, None], window)[0, 0]
        energy = x.square().sum() - local_dissimilarity(x, window).square().sum()
        expected = math.prod(window) * k**2 * energy
        torch.testing.assert_close(sums.square().sum(), expected)
        assert window_sum_energy(x, window, k) == pytest.approx(float(expected))


def test_lemma_a4_fails_for_overlapping_windows():
    """3 × 3 at stride 1: ‖φ(1)‖² is 7.4 r ‖1‖² at 12 × 12, where the lemma allows r ‖1‖²."""
    ones = torch.ones(1, 1, 12, 12)
    sums = F.conv2d(ones, torch.ones(1, 1, 3, 3), padding=1)
    assert float(sums.square().sum() / (9 * ones.square().sum())) == pytest.approx(7.4, abs=0.05)
    with pytest.raises(ValueError, match="must partition the 12×12 pixels, got 5×5"):
        local_dissimilarity(ones[0, 0], (5, 5))
    with pytest.raises(ValueError, match="must partition the 12×12 pixels, got 5×5"):
        window_sum_energy(ones[0, 0], (5, 5))


def test_the_literal_lambda_of_the_main_text_is_too_small():
    """u* = (4, 1, 4, 1), perturbed by (1, 1, −1, −1): 1.166 is needed, z* for u* gives 1.054."""
    u = torch.tensor([[4.0, 1, 4, 1]], dtype=torch.float64)
    change = torch.tensor([[1.0, 1, -1, -1]], dtype=torch.float64)

    def window_sums(x):
        return x.reshape(2, 2).sum(1)

    needed = (window_sums(change).norm() / window_sums(u).norm()) / (change.norm() / u.norm())
    assert float(needed) == pytest.approx(1.166, abs=1e-3)
    assert similarity_factor(u, (1, 2)) == pytest.approx(float(needed))
    literal = similarity_factor(u.sqrt(), (1, 2))
    assert literal == pytest.approx(1.054, abs=1e-3)
    assert literal < float(needed)
    with pytest.raises(ValueError, match="sum is not zero"):
        similarity_factor(change * 0, (1, 2))
