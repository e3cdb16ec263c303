import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import encoders, unpools

from preimage.network.architectures import (
    ARCHITECTURES,
    alexnet,
    architecture,
    torchvision_alexnet,
    vgg16,
)
from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.operations import Conv, Pool, Unpool
from preimage.network.trace import (
    feature_size,
    input_sizes,
    layer_table,
    least_size,
    output_length,
    trace,
)


def test_table_1() -> None:
    rows = [(s.channels, s.height, s.width, s.dimension) for _, s in layer_table(vgg16(), 227, 227)]
    assert rows == [
        (64, 227, 227, 3_297_856),
        (128, 114, 114, 1_663_488),
        (256, 57, 57, 831_744),
        (512, 29, 29, 430_592),
        (512, 15, 15, 115_200),
    ]


def test_alexnet_sizes() -> None:
    assert [step.height for _, step in layer_table(alexnet(), 227, 227)] == [55, 27, 13, 13, 13]
    steps = layer_table(torchvision_alexnet(), 224, 224)
    assert [step.height for _, step in steps] == [55, 27, 13, 13, 13]
    assert [step.channels for _, step in steps] == [64, 192, 384, 256, 256]


def test_costs_against_the_literature() -> None:
    # Convolutions without biases: 14,714,688 less 4,224 biases (VGG16), and 15.3 G at 224×224.
    steps = trace(vgg16(), 224, 224)
    assert sum(step.parameters for step in steps) == 14_714_688 - 4_224
    assert sum(step.multiply_adds for step in steps) == 15_346_630_656
    assert [s.receptive_field for _, s in layer_table(vgg16(), 227, 227)] == [5, 14, 40, 92, 196]
    assert [s.receptive_field for _, s in layer_table(alexnet(), 227, 227)] == [
        11,
        51,
        99,
        131,
        163,
    ]


@settings(max_examples=25)
@given(encoders(), unpools)
def test_receptive_field_is_what_gradients_reach(encoder: Description, unpool: str) -> None:
    """Count the input rows that some output pixel far from the border depends on."""
    linear = encoder.with_activation(1.0).with_pool("avg").with_width(2)
    network = linear + linear.mirror(unpool)  # type: ignore[arg-type]
    assume(least_size(network) < 90)
    size = 181, least_size(network)  # of columns no more than it takes
    steps = trace(network, *size)
    assume(steps[-1].receptive_field < 90)
    line = torch.ones(1, network.in_channels, *size, dtype=torch.float64, requires_grad=True)
    module = build(network, "uniform:1", dtype=torch.float64)
    for weight in module.parameters():
        weight.data.abs_()
    output = module(line)
    spans = []
    for pixel in range(76, 76 + 36):
        (gradient,) = torch.autograd.grad(output[:, :, pixel].sum(), line, retain_graph=True)
        rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
        spans.append(int(rows[-1] - rows[0]) + 1 if len(rows) else 0)
    # A stride may jump over the pixels at the ends of an interval, so ≤; it is met by some pixel
    # whenever no stride exceeds its kernel.
    expected = steps[-1].receptive_field
    assert max(spans) <= expected
    if all(op.stride <= op.kernel_size for op in encoder.operations if isinstance(op, Conv | Pool)):
        assert max(spans) == expected


_SIZES = [(227, 227), (64, 71), (100, 63), (131, 80), (67, 67), (89, 64), (72, 117), (63, 99)]


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("number", "size"), list(enumerate(_SIZES)))
def test_real_forward_passes(name: str, number: int, size: tuple[int, int]) -> None:
    layers = architecture(name).blocks
    encoder = architecture(name).cut(layers[number % len(layers)]).scale_width(1 / 16)
    unpool = ("zeros", "nearest", "bilinear")[number % 3]
    network = build(encoder + encoder.mirror(unpool))  # type: ignore[arg-type]
    image = torch.rand(2, 3, *size)
    assert network(image).shape == image.shape


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_pool_lengths_are_torchs(length: int, kernel_size: int, stride: int, ceil: bool) -> None:
    expected = output_length(Pool("pool", "max", kernel_size, stride, ceil), length)
    image = torch.zeros(1, 1, length, length)
    if expected == 0:
        with pytest.raises(RuntimeError):
            torch.nn.functional.max_pool2d(image, kernel_size, stride, ceil_mode=ceil)
    else:
        out = torch.nn.functional.max_pool2d(image, kernel_size, stride, ceil_mode=ceil)
        assert out.shape[-1] == expected


def test_a_decoder_alone_needs_its_encoders_sizes() -> None:
    encoder = vgg16().cut("conv2")
    with pytest.raises(ValueError, match=r"pool1.*input_sizes"):
        trace(encoder.mirror(), 114, 114)
    sizes = input_sizes(encoder, 227, 226)
    last = trace(encoder.mirror(), 114, 113, sizes)[-1]
    assert (last.height, last.width) == (227, 226)


def test_unpool_keeps_what_its_pool_took_in() -> None:
    unpool = Unpool("unpool", "zeros", 2, like="pool")
    assert output_length(unpool, 27, 55) == 55  # a 3×3 stride-2 pool took in 55
    assert output_length(unpool, 15, 29) == 30  # ceil mode: surplus is carried along


def test_least_size_of_a_valid_convolution() -> None:
    network = Description("valid", (Conv("conv1", 2, kernel_size=7, padding=(0, 0)),))
    assert least_size(network) == 7
    with pytest.raises(ValueError, match=r"valid needs an input of at least 7×7 pixels, got 6×9"):
        trace(network, 6, 9)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (vgg16().cut("conv1"), (227, 130)),
        (vgg16().cut("conv3"), (57, 33)),
        (vgg16().cut("conv3", pooled=True), (29, 17)),
        (alexnet().cut("conv2"), (27, 15)),
    ],
)
def test_feature_size(description: Description, expected: tuple[int, int]) -> None:
    assert feature_size(description, (227, 130)) == expected
