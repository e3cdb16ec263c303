import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from theory import reference
from theory.strategies import image, network, shots, specs

from preimage import Conv, Description, Pool, alexnet, build, vgg16
from preimage.network.operations import ChannelMean
from preimage.theory import energies, limit

SETTINGS = settings(max_examples=50, suppress_health_check=list(HealthCheck))


def assert_same_limit(description, image, std=0.3):
    ours = limit(description, torch.from_numpy(image)[None], f"gaussian:{std}")[0, 0].numpy()
    naive = reference.limit(description, image, std)
    assert ours.shape == naive.shape
    # Relative to the image: a dark pixel's u is a difference of nothing.
    np.testing.assert_allclose(ours, naive, rtol=1e-10, atol=1e-12 * naive.max(initial=1e-30))


@SETTINGS
@given(specs(), st.sampled_from(["zeros", "nearest", "bilinear"]), shots)
def test_average_pooling_equals_brute_force(spec, unpool, shot):
    description = network(spec, "avg", unpool)
    assert_same_limit(description, image(description, shot))


@settings(SETTINGS, max_examples=15)
@given(specs(), st.sampled_from(["zeros", "nearest"]), shots)
def test_l2_pooling_equals_brute_force(spec, unpool, shot):
    description = network(spec, "l2", unpool)
    assert_same_limit(description, image(description, shot))


def _two_pools(kinds):
    ops = [
        Conv("a", 2),
        Pool("pa", kinds[0]),
        Conv("b", 2),
        Pool("pb", kinds[1]),
        Conv("c", 2),
        ChannelMean(),
    ]
    return Description("two pools", tuple(ops)).with_normalisation()


def test_l2_behind_average_pooling_has_a_closed_form():
    description = _two_pools(["avg", "l2"])
    rng = np.random.default_rng(1)
    assert_same_limit(description, rng.random((3, 9, 7)))


def test_pools_before_the_first_convolution_act_on_the_image():
    description = vgg16().cut("conv2").simplified().with_pool("avg")
    whole = (description + description.mirror("nearest")).with_mean_head().with_normalisation()
    assert_same_limit(whole, np.random.default_rng(2).random((3, 11, 8)))


def test_a_normalisation_acts_on_the_image():
    mean, std = (0.5, 0.4, 0.3), (0.2, -0.3, 0.4)
    plain = vgg16().cut("conv2").with_pool("avg")
    encoder = plain.with_input(mean, std)
    image = torch.rand(1, 3, 11, 8, dtype=torch.float64)
    found, expected = (
        limit((e + e.mirror()).with_mean_head().with_normalisation(), x)
        for e, x in [
            (encoder, image),
            (
                plain,
                (image - image.new_tensor(mean)[:, None, None])
                / image.new_tensor(std)[:, None, None],
            ),
        ]
    )
    torch.testing.assert_close(found, expected)


def test_vgg16_and_alexnet_equal_brute_force():
    rng = np.random.default_rng(3)
    encoder = vgg16().cut("conv3").with_pool("avg")
    whole = (encoder + encoder.mirror("nearest")).with_mean_head().with_normalisation()
    assert_same_limit(whole, rng.random((3, 11, 13)), std=0.015)
    encoder = alexnet().cut("conv2").with_pool("avg")
    whole = (encoder + encoder.mirror()).with_mean_head().with_normalisation()
    assert_same_limit(whole, rng.random((3, 33, 29)))


def test_a_pixel_and_its_negative_cancel_in_no_norm():
    """f* of −x is that of x: inner products of pixels are all that matters."""
    description = _two_pools(["avg", "avg"])
    x = torch.from_numpy(np.random.default_rng(4).normal(size=(1, 3, 9, 7)))
    torch.testing.assert_close(limit(description, x), limit(description, -x))


def test_the_image_must_fit():
    description = _two_pools(["avg", "avg"])
    with pytest.raises(ValueError, match=r"must be \(N, 3, H, W\)"):
        limit(description, torch.ones(1, 1, 8, 8))


def test_batches_are_images_one_by_one():
    description = _two_pools(["avg", "avg"])
    x = torch.rand(3, 3, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = limit(description, x)
    for index in range(3):
        torch.testing.assert_close(
            whole[index : index + 1], limit(description, x[index : index + 1])
        )


def test_float32_keeps_the_scale_of_tiny_weights():
    encoder = vgg16().cut("conv5").with_pool("avg")
    whole = (encoder + encoder.mirror("nearest")).with_mean_head().with_normalisation()
    x = torch.rand(1, 3, 37, 29, generator=torch.Generator().manual_seed(0))
    single = limit(whole, x, "gaussian:0.001", dtype=torch.float32)
    double = limit(whole, x, "gaussian:0.001")
    assert 0 < float(double.mean()) < torch.finfo(torch.float32).tiny
    torch.testing.assert_close(single / double, torch.ones_like(double), rtol=0, atol=2e-6)


def test_widths_matter_to_brightness_only_where_definition_5_1_does_not_hold():
    normalised = _two_pools(["avg", "avg"])
    x = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    f = limit(normalised, x, "gaussian:0.1")
    torch.testing.assert_close(limit(normalised.with_width(64), x, "gaussian:0.1"), f)
    bare = Description(
        "bare",
        tuple(
            op if not isinstance(op, Conv) else Conv(op.name, op.out_channels)
            for op in normalised.operations
        ),
    )
    # Two hidden convolutions of 64 channels, each without its 1/√64.
    torch.testing.assert_close(limit(bare.with_width(64), x, "gaussian:0.1"), 64 * f)


def test_the_last_energy_gives_the_limit():
    description = _two_pools(["l2", "l2"])
    x = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = energies(description, x, "gaussian:0.2")
    assert len(found) == 3
    f = limit(description, x, "gaussian:0.2")[0]
    torch.testing.assert_close(f, 0.2 / math.sqrt(2 * math.pi) * found[-1].sqrt())


def test_a_constant_image_without_padding_stays_constant():
    ops = (Conv("a", 2, padding=(0, 0)), Conv("b", 2, padding=(0, 0)), ChannelMean())
    description = Description("flat", ops, 1).with_normalisation()
    f = limit(description, torch.full((1, 1, 9, 7), 3.0), "gaussian:1")
    # k_1 √(k_2 · 9 · 9) · 3
    assert f == pytest.approx(torch.full_like(f, 3 * 9 * math.sqrt(0.5 / (2 * math.pi))))


def test_the_zero_insertion_grid_is_1_sqrt2_sqrt2_2_and_nearest_has_none():
    encoder = vgg16().cut("conv1", pooled=True).with_pool("l2")
    x = torch.ones(1, 3, 20, 24)
    grid = {}
    for unpool in ("zeros", "nearest"):
        whole = (encoder + encoder.mirror(unpool)).with_mean_head().with_normalisation()
        grid[unpool] = limit(whole, x)[0, 0, 8:10, 8:10].flatten()
    zeros = grid["zeros"] / grid["zeros"].min()
    assert sorted(zeros.tolist()) == pytest.approx([1, math.sqrt(2), math.sqrt(2), 2])
    assert grid["nearest"] == pytest.approx(grid["nearest"][:1].expand(4))


def test_the_network_of_the_documentation_runs():
    net = build(_two_pools(["avg", "avg"]), "gaussian:0.1")
    assert net(torch.ones(1, 3, 9, 7)).shape == limit(net.description, torch.ones(1, 3, 9, 7)).shape
