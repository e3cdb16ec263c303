from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network.limit.pair_reference import kernel
from theory.strategies import image, network, shots, specs

from preimage import Conv, Description, Pool, build, vgg16
from preimage.network.limit import energies
from preimage.network.limit.cross import cross_kernel
from preimage.network.limit.pairs import pair_recursion
from preimage.network.limit.tiles import Tiles
from preimage.network.operations import ChannelMean, Unpool
from preimage.network.trace import feature_size


def encoder(spec):
    """The drawn operations without their mirror, average pools."""
    drawn = network(spec)
    ops = tuple(op for op in drawn.operations if op.name.startswith(("conv", "pool")))
    return replace(drawn, operations=ops)


def photos(description, shot, count=2):
    seed = shot[2]
    shots_ = [(*shot[:2], seed + i, *shot[3:]) for i in range(count)]
    return torch.from_numpy(np.stack([image(description, s) for s in shots_]))


def tiles_on(size, side, rng, count=2):
    """Tiles anywhere on the map, beyond its end at times."""
    corners = [[int(rng.integers(0, n)) for n in size] for _ in range(count)]
    return Tiles(torch.arange(count), torch.tensor(corners), side)


def agree(description, x, y, tiles, others, window):
    found = cross_kernel(description, x, tiles, y, others, window=window)
    k, size = kernel(description, window), feature_size(description, tuple(x.shape[2:]))
    for i, (a, p) in enumerate(positions(tiles)):
        for j, (b, q) in enumerate(positions(others)):
            if all(at < n for at, n in zip((*p, *q), (*size, *size), strict=True)):
                expected = k(x[a].numpy(), p, y[b].numpy(), q)
                assert abs(float(found[i, j]) - expected) < 1e-10


def positions(tiles):
    for photo, corner in zip(tiles.photos.tolist(), tiles.corners.tolist(), strict=True):
        for row in range(tiles.size[0]):
            for column in range(tiles.size[1]):
                yield photo, (corner[0] + row, corner[1] + column)


@settings(max_examples=20, deadline=None)
@given(specs(), shots, st.integers(1, 2), st.integers(1, 3), st.sampled_from([1, 1, 3]))
def test_it_is_the_double_recursion(spec, shot, rows, columns, window):
    description = encoder(spec)
    x = photos(description, shot)
    size = feature_size(description, tuple(x.shape[2:]))
    rng = np.random.default_rng(shot[2])
    tiles, others = (
        Tiles(t.photos[:1], t.corners[:1], t.size)
        for t in (tiles_on(size, (rows, columns), rng) for _ in range(2))
    )
    agree(description, x[:1], x[1:], tiles, others, window)


def two_blocks(width=2):
    return Description(
        "two blocks",
        (
            Conv("conv1_1", width, slope=0.2),
            Pool("pool1", "avg", 3, 2),
            Conv("conv2_1", width, slope=0.2, padding=(0, 1), kernel_size=2),
        ),
    )


def test_on_equal_photos_it_is_the_limit():
    description = two_blocks()
    x = torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(0)).double()
    size = feature_size(description, (9, 12))
    tiles = Tiles(torch.tensor([0]), torch.tensor([[0, 0]]), size)
    found = cross_kernel(description, x, tiles, x, tiles).diagonal().view(size)
    # A 1×1 convolution behind the layer reads patches of one position: u* is its squared norm.
    head = (Conv("conv3", 1, 1, padding=(0, 0)), ChannelMean())
    whole = replace(description, operations=(*description.operations, *head))
    torch.testing.assert_close(found, energies(whole, x)[-1][0] / 2, rtol=1e-12, atol=0)


def test_wide_networks_have_it_within_their_standard_error():
    width, networks = 200, 40
    description = two_blocks(width)
    x = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(1))
    size = feature_size(description, (7, 9))
    tiles = [Tiles(torch.tensor([i]), torch.tensor([[0, 0]]), size) for i in (0, 1)]
    expected = cross_kernel(description, x.double(), tiles[0], x.double(), tiles[1])
    products = []
    for number in range(networks):
        with torch.no_grad():
            f = build(description, seed=3, network_number=number)(x).double().flatten(2)
        products.append(f[0].T @ f[1] / width)
    found = torch.stack(products)
    error = (found.mean(0) - expected).flatten()
    stderr = (found.std(0) / networks**0.5).flatten()
    # The largest of 320 dependent t values; the bias of order 1/width is far below one of them.
    assert (error / stderr).abs().max() < 5
    assert float((stderr / expected.flatten()).max()) < 0.04  # narrow enough to tell


def test_single_precision_keeps_six_digits():
    description = vgg16().with_pool("avg").with_activation(0.2).cut("conv2")
    x = torch.rand(2, 3, 24, 31, generator=torch.Generator().manual_seed(2))
    tiles = Tiles(torch.tensor([0, 1]), torch.tensor([[0, 3], [2, 11]]), (2, 2))
    exact = cross_kernel(description, x.double(), tiles, x.double(), tiles)
    single = cross_kernel(description, x, tiles, x, tiles).double()
    assert float((single - exact).abs().max() / exact.max()) < 2e-6


def test_what_has_no_kernel_is_refused():
    for op, reason in (
        (Pool("pool1", "max"), "max pooling has no closed form"),
        (Pool("pool1", "l2"), "l2 pooling has no closed form"),
        (Conv("conv2", 2, batch_norm=True), "batch normalisation"),
        (Unpool("up"), "the kernel is that of an encoder"),
    ):
        with pytest.raises(ValueError, match=reason):
            pair_recursion(Description("d", (Conv("conv1", 2), op)), (9, 9), (1, 1))
    with pytest.raises(ValueError, match="nothing random"):
        pair_recursion(Description("d", (Pool("pool1", "avg"),)), (9, 9), (1, 1))
    x, tiles = torch.rand(1, 3, 9, 9), Tiles(torch.tensor([0]), torch.tensor([[0, 0]]), (1, 1))
    with pytest.raises(ValueError, match="must have one size"):
        cross_kernel(two_blocks(), x, tiles, torch.rand(1, 3, 9, 8), tiles)
