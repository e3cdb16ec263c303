import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from preimage.data.photo import embedded_photos
from preimage.network import layers, winograd
from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.network.operations import Conv, Unpool, UnpoolKind
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.pair import RandomPair

# As a share of what a pixel's products add up to in absolute value. There is no bound as a share of
# the value itself: a sum of random signs can come as close to zero as it likes.
TOLERANCE = 1e-5


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many bands and several parts of the filters, at a test's size."""
    monkeypatch.setattr(winograd, "_FEWEST_BLOCKS", 3)
    monkeypatch.setattr(winograd, "_MOST_BYTES", 4000)


def largest_error(got: torch.Tensor, exact: torch.Tensor, scale: torch.Tensor) -> float:
    """The largest |got − exact|, as a share of the largest Σ|x||w|, `scale`."""
    assert got.shape == exact.shape == scale.shape
    return float((got - exact).abs().max() / scale.max())


def draw(
    conv: Conv, photos: int, channels: int, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(height * width + channels)
    kernel = (conv.out_channels, channels, conv.kernel_size, conv.kernel_size)
    return (
        torch.rand(photos, channels, height, width, generator=generator),
        torch.randn(kernel, generator=generator),
        torch.randn(conv.out_channels, generator=generator),
    )


def f_4_3(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """F(4×4, 3×3) of one block, with the matrices of Lavin & Gray (2016), Section 4.3."""
    b = [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    g = [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
    a = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    bt, gm, at = np.array(b), np.array(g), np.array(a)
    block: np.ndarray = at @ ((gm @ kernel @ gm.T) * (bt @ image @ bt.T)) @ at.T
    return block


def test_equals_lavin_and_grays_formula_summed_over_channels() -> None:
    x, weight, _ = draw(conv := Conv("c", 3, padding=(0, 0)), 1, 5, 6, 6)
    exact = np.stack(
        [sum(f_4_3(d, g) for d, g in zip(x[0].double().numpy(), kernels, strict=True))
         for kernels in weight.double().numpy()]
    )  # fmt: skip
    got = winograd.convolve(x, weight, None, conv)
    scale = layers.convolve(x, weight.abs(), None, conv)
    assert largest_error(got, torch.from_numpy(exact)[None], scale) < TOLERANCE


@pytest.mark.parametrize("taps", [2, 3, 4, 5])
@pytest.mark.parametrize("points", [(0, 1, -1, 2, -2), (0.0, 0.75, -0.75, 1.5, -1.5)])
def test_matrices_filter(taps: int, points: tuple[float, ...]) -> None:
    output, kernel, inputs = (m.numpy() for m in winograd.matrices(taps, tuple(map(float, points))))
    rng = np.random.default_rng(0)
    d, g = rng.normal(size=6), rng.normal(size=taps)
    got = output @ ((kernel @ g) * (inputs @ d))
    np.testing.assert_allclose(got, np.correlate(d, g, mode="valid"), rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("small_bands")
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
def test_every_padding(kernel_size: int) -> None:
    for before, after in itertools.product(range(kernel_size), repeat=2):
        conv = Conv("c", 5, kernel_size, padding=(before, after))
        x, weight, bias = draw(conv, 2, 7, 10, 13)
        exact = layers.convolve(x.double(), weight.double(), bias.double(), conv)
        scale = layers.convolve(x, weight.abs(), bias.abs(), conv)
        assert largest_error(winograd.convolve(x, weight, bias, conv), exact, scale) < TOLERANCE


@pytest.mark.usefixtures("small_bands")
@settings(max_examples=40)
@given(st.integers(1, 21), st.integers(1, 21), st.integers(1, 9), st.integers(1, 9))
@example(1, 1, 7, 1)  # the only value is 12 times smaller than its products' absolute sum
def test_any_size(height: int, width: int, channels: int, filters: int) -> None:
    conv = Conv("c", filters)
    x, weight, _ = draw(conv, 1, channels, height, width)
    x = x.contiguous(memory_format=torch.channels_last)
    exact = layers.convolve(x.double(), weight.double(), None, conv)
    scale = layers.convolve(x, weight.abs(), None, conv)
    assert largest_error(winograd.convolve(x, weight, None, conv), exact, scale) < TOLERANCE


@pytest.mark.usefixtures("small_bands")
@pytest.mark.parametrize("kind", ["zeros", "nearest"])
@pytest.mark.parametrize(("stride", "kernel_size"), [(2, 3), (2, 5), (3, 4), (3, 7), (4, 5)])
def test_unpooling(kind: UnpoolKind, stride: int, kernel_size: int) -> None:
    op = Unpool("u", kind, stride)
    sizes = [(8 * stride, 7 * stride)]
    if kind == "zeros":
        sizes.append((8 * stride + 3, 7 * stride + 1))
    most = kernel_size - 1
    for padding in [(0, most), (1, 1), (most, 0), (most, most)]:
        conv = Conv("c", 3, kernel_size, padding=padding)
        x, weight, bias = draw(conv, 2, 5, 8, 7)
        for size in sizes:
            unpooled = layers.unpool(x, op, size)
            exact = layers.convolve(unpooled.double(), weight.double(), bias.double(), conv)
            scale = layers.convolve(unpooled, weight.abs(), bias.abs(), conv)
            got = winograd.unpool_convolve(x, weight, bias, op, conv, size)
            assert largest_error(got, exact, scale) < TOLERANCE


def test_large_blocks_on_large_maps_of_3x3_kernels_only() -> None:
    """By shapes alone; a kernel that no block holds is left to the plain form."""
    small, large = torch.empty(1, 128, 57, 57), torch.empty(1, 128, 227, 200)
    sides = {
        (kernel, len(x[0, 0])): winograd._tiling(x, Conv("c", 128, kernel, padding=(0, 0))).block
        for kernel in (2, 3, 5, 6, 7)
        for x in (small, large)
    }
    assert {shape for shape, block in sides.items() if block == 8} == {(3, 227)}
    for kernel in (1, 6, 7, 11):
        assert not winograd.convolve_is_faster(large, Conv("c", 128, kernel, padding=(0, 0)))


def test_blocks_of_8_are_chosen_and_exact() -> None:
    x, weight, bias = draw(conv := Conv("c", 96), 1, 96, 115, 121)
    assert winograd._tiling(x, conv).block == 8
    exact = layers.convolve(x.double(), weight.double(), bias.double(), conv)
    scale = layers.convolve(x, weight.abs(), bias.abs(), conv)
    assert largest_error(winograd.convolve(x, weight, bias, conv), exact, scale) < TOLERANCE
    got = winograd.convolve(x, weight, bias, conv)
    assert float((got - exact).abs().max() / exact.abs().max()) < 3e-5


def test_a_wide_layer_is_as_exact() -> None:
    """At full width, where sums are long, of features as a network has them: all positive."""
    x, weight, _ = draw(conv := Conv("c", 512), 1, 512, 15, 22)
    exact = layers.convolve(x.double(), weight.double(), None, conv)
    scale = layers.convolve(x, weight.abs(), None, conv)
    assert largest_error(winograd.convolve(x, weight, None, conv), exact, scale) < TOLERANCE


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor on which the rule was measured, whatever this machine has."""
    monkeypatch.setattr(winograd, "_is_measured_here", lambda: True)


@pytest.fixture
def asked_again() -> Iterator[None]:
    """The processor is asked anew, before and after."""
    winograd._is_measured_here.cache_clear()
    yield
    winograd._is_measured_here.cache_clear()


@pytest.mark.usefixtures("measured")
def test_it_is_taken_where_it_is_faster() -> None:
    wide, narrow = torch.empty(1, 512, 57, 57), torch.empty(1, 32, 57, 57)
    conv = Conv("c", 512)
    assert winograd.convolve_is_faster(wide, conv)
    assert not winograd.convolve_is_faster(narrow, Conv("c", 32))
    for other in (wide.double(), wide.to("meta"), torch.empty(1, 512, 7, 7)):
        assert not winograd.convolve_is_faster(other, conv)
    for refused in (
        Conv("c", 512, 1, padding=(0, 0)),
        Conv("c", 512, stride=2),
        Conv("c", 512, 11),
    ):
        assert not winograd.convolve_is_faster(wide, refused)
    nearest, zeros = Unpool("u", "nearest"), Unpool("u", "zeros")
    assert winograd.unpool_convolve_is_faster(wide, nearest, conv, (114, 114))
    assert not winograd.unpool_convolve_is_faster(wide, zeros, conv, (114, 114))


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("channels", "size", "taken"),
    [
        # Where benchmarks/RESULTS.md has Winograd's clearly ahead on every processor tried, …
        (512, 227, True),
        (256, 227, True),
        (512, 57, True),
        (256, 57, True),
        # … and where it is behind on one of them.
        (64, 227, False),
        (128, 57, False),
        (1024, 29, False),
        (512, 29, False),
        (512, 15, False),
    ],
)
def test_the_rule_follows_what_was_measured(channels: int, size: int, taken: bool) -> None:
    x = torch.empty(1, channels, size, size, device="meta")
    tiling = winograd._tiling(x, conv := Conv("c", channels))
    assert winograd._saves(channels, conv, tiling, 9 * size**2) is taken


@pytest.mark.usefixtures("asked_again")
@pytest.mark.parametrize(
    ("capability", "has_mkl", "measured"),
    [
        ("AVX512", True, True),
        ("AVX2", True, True),
        ("AVX2", False, False),
        ("DEFAULT", True, False),
        ("SVE256", False, False),
    ],
)
def test_on_other_processors_the_plain_form_is_taken(
    monkeypatch: pytest.MonkeyPatch, capability: str, has_mkl: bool, measured: bool
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: has_mkl)
    wide, conv = torch.empty(1, 512, 57, 57), Conv("c", 512)
    assert winograd.convolve_is_faster(wide, conv) is measured
    nearest = Unpool("u", "nearest")
    assert winograd.unpool_convolve_is_faster(wide, nearest, conv, (114, 114)) is measured


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Winograd wherever it can be, so that small networks go through it."""
    monkeypatch.setattr(winograd, "_saves", lambda *_: True)
    monkeypatch.setattr(winograd, "_is_measured_here", lambda: True)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("unpool", ["zeros", "nearest"])
def test_networks_equal_their_plain_form(unpool: UnpoolKind) -> None:
    encoder = vgg16().cut("conv3", pooled=True).with_width(12).with_bias().with_activation(0.2)
    network = build(encoder + encoder.mirror(unpool))
    image = torch.rand(2, 3, 45, 59)
    with torch.inference_mode():
        got, alone = network(image), network(image[1:])
        network.fast = False
        plain = network(image)
    assert not torch.equal(got, plain)
    # Eleven layers; the largest of 15,930 values is no small difference of large ones.
    assert (got - plain).abs().max() < 10 * TOLERANCE * plain.abs().max()
    assert torch.equal(got[1:], alone)


@pytest.mark.usefixtures("always")
def test_training_does_without() -> None:
    network = build(vgg16().cut("conv2").with_width(8))
    image = torch.rand(1, 3, 20, 24)
    trained = network(image)
    network.fast = False
    with torch.inference_mode():
        assert torch.equal(network(image), trained.detach())
    trained.sum().backward()
    assert network.weights["conv1_1"].grad is not None


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("unpool", ["zeros", "nearest"])
def test_equal_scores(unpool: UnpoolKind) -> None:
    config = ReconstructConfig(
        layer="conv2", pooled=True, width=24, head="mean", unpool=unpool, size=64
    )
    pair = RandomPair(config)
    photos = embedded_photos(64)[:2]
    fast = [pair(photo) for photo in photos]
    for network in pair.networks:
        network.fast = False
    for got, plain in zip(fast, [pair(photo) for photo in photos], strict=True):
        assert not torch.equal(got.colour, plain.colour)
        assert got.ssim == pytest.approx(plain.ssim, abs=1e-4)
        assert got.pearson == pytest.approx(plain.pearson, abs=1e-4)
        assert got.mse == pytest.approx(plain.mse, abs=1e-4)
