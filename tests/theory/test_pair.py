"""The pair property: `limit(d)` is what `build(d.with_width(n))` tends to.

Networks, widths, sample sizes and seeds are fixed beforehand; thresholds are those of the largest
of all the comparisons that a test makes.
"""

from dataclasses import replace

import numpy as np
import pytest

from preimage import Law, least_size
from preimage.theory import energy_ratio, limit, mean_bracket
from theory.nets import convs, outputs, photo, square_sines, threshold, vgg, z_scores
from theory.strategies import network

DRAWN = 6


def _drawn(seed):
    """Odd and even kernels, strides, overlapping pools, leaky slopes."""
    rng = np.random.default_rng(seed)

    def conv(stride):
        kernel, before, keeps = (int(rng.integers(n)) for n in (5, 5, 4))
        return ("conv", kernel + 1, before, keeps > 0, stride)

    pools = [(2, 2), (3, 2), (2, 1), (3, 3)]
    ops = [conv(1), conv(1 + int(rng.random() < 0.4))]
    for _ in range(rng.integers(1, 3)):
        pool = ("pool", pools[rng.integers(4)], bool(rng.integers(2)))
        ops.insert(int(rng.integers(1, len(ops) + 1)), pool)
    spec = (tuple(ops), float(rng.choice([0.0, 0.2, -0.5])), int(rng.choice([1, 3])))
    description = network(spec, "l2", ["zeros", "nearest"][seed % 2], width=32)
    last = description.convs[-1]
    narrow = tuple(
        replace(op, out_channels=2) if op is last else op for op in description.operations
    )
    least = max(least_size(description), 5)
    height, width = (int(n) for n in rng.integers(least, least + 4, 2))
    return replace(description, operations=narrow), photo(height, width, spec[2], seed)


@pytest.mark.parametrize("seed", range(DRAWN))
def test_energy_law_and_mean_bracket_with_l2_pooling(seed):
    """The last convolution has two channels, so that K_1/N is most of the noise."""
    description, image = _drawn(seed)
    f_star = limit(description, image, "gaussian:0.5").flatten()
    seen = f_star > 0
    ratio = (outputs(description, image, 800) / f_star)[:, seen]
    comparisons = 3 * DRAWN * ratio.shape[1]
    most = threshold(comparisons)
    z = z_scores(ratio.square(), energy_ratio(description))
    assert z.abs().max() < most
    # Power: without K_1/N the law would be rejected.
    assert z_scores(ratio.square(), 1.0).max() > most
    low, high = mean_bracket(description)
    assert z_scores(ratio, low).min() > -most
    assert z_scores(ratio, high).max() < most


@pytest.mark.parametrize(("layer", "unpool"), [("conv1", "zeros"), ("conv2", "nearest")])
def test_mean_tends_to_the_limit_with_average_pooling(layer, unpool):
    """2 · mean at width 2N − mean at width N: what is left is of order N⁻²."""
    image = photo(9, 7)
    narrow, wide = (vgg(layer, "avg", unpool, width) for width in (32, 64))
    f_star = limit(narrow, image, "gaussian:0.5").flatten()
    kept = f_star > 0
    half, full = (
        (outputs(net, image, 240, first=first) / f_star)[:, kept]
        for net, first in ((narrow, 0), (wide, 1000))
    )
    brightness = 2 * full.mean(1) - half.mean(1)
    most = threshold(2 * (int(kept.sum()) + 1))
    assert z_scores(brightness[:, None], 1.0).abs().max() < most
    # The picture without its common brightness, which has most of the noise.
    contrast = [part - part.mean(1, keepdim=True) for part in (full, half)]
    value = 2 * contrast[0].mean(0) - contrast[1].mean(0)
    variance = 4 * contrast[0].var(0) / len(full) + contrast[1].var(0) / len(half)
    assert (value / variance.sqrt()).abs().max() < most
    # Power: the picture of l2 pooling, of other contrast, would be rejected.
    other = limit(narrow.with_pool("l2"), image, "gaussian:0.5").flatten()[kept] / f_star[kept]
    other = other / other.mean() - 1
    if layer == "conv1":  # two pools need more networks than a test has time for
        assert ((value - other) / variance.sqrt()).abs().max() > most


@pytest.mark.parametrize("pool", ["l2", "avg"])
def test_the_angle_falls_as_the_root_of_the_width(pool):
    image = photo(9, 7)
    widths, count = [32, 64, 128, 256], 30
    logs, errors = [], []
    for index, width in enumerate(widths):
        net = vgg("conv1", pool, "nearest", width)
        sines = square_sines(
            outputs(net, image, count, first=index * count), limit(net, image, "gaussian:0.5")
        )
        logs.append(float(sines.mean().log()) / 2)
        errors.append(float(sines.std() / sines.mean()) / 2 / count**0.5)
    fit = np.polyfit(np.log(widths), logs, 1, w=1 / np.array(errors))
    spread = np.log(widths) - np.mean(np.log(widths))
    stderr = float(np.mean(errors) / np.sqrt((spread**2).sum()))
    exponent = float(fit[0])
    assert stderr < 0.05
    assert abs(exponent + 0.5) < threshold(2, 1e-3) * stderr


@pytest.mark.parametrize("family", ["uniform", "logistic", "laplace"])
def test_other_laws_share_the_gaussian_limit(family):
    """Brightness too: the law's own k_1 would be off by 4 % to 11 %."""
    law = Law(family, 1.0)
    description = vgg("conv1", "l2", "nearest", 32)
    image = photo(7, 5)
    f_star = limit(description, image, law).flatten()
    ratio = (outputs(description, image, 400, law) / f_star).square().mean(1)
    # The last convolution's K_1 of i.i.d. weights, for a fan-in of 288, is the Gaussian's to 1e-3.
    z = (ratio.mean() - energy_ratio(description)) / (ratio.std() / 400**0.5)
    assert abs(float(z)) < threshold(3)


def test_two_layers_have_no_bias():
    description = convs(1, 8)
    image = photo()
    f_star = limit(description, image, "gaussian:0.5").flatten()
    ratio = outputs(description, image, 1500) / f_star
    # And here the energy law has power: without K_1/N it would be rejected at every pixel.
    assert z_scores(ratio.square(), energy_ratio(description)).abs().max() < threshold(len(f_star))
    assert z_scores(ratio.square(), 1.0).min() > 4
    assert mean_bracket(description) == (1.0, 1.0)
    assert z_scores(ratio, 1.0).abs().max() < threshold(len(f_star))
