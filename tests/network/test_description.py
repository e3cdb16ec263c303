import dataclasses

import pytest

from preimage.network.architectures import alexnet, architecture, vgg16
from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Pool
from preimage.network.trace import trace


def test_cut() -> None:
    assert vgg16().cut("conv3").operations[-1].name == "conv3_3"
    assert vgg16().cut("conv1_1").operations == vgg16().operations[:1]
    assert vgg16().cut("conv1", pooled=True).operations[-1].name == "pool1"
    assert alexnet().cut("conv2").name == "alexnet conv2"
    with pytest.raises(ValueError, match=r"`layer` must be one of conv1, .*conv5_3.*'conv6'"):
        vgg16().cut("conv6")
    with pytest.raises(ValueError, match=r"no pooling after conv1_1.*conv1_2, conv2_2"):
        vgg16().cut("conv1_1", pooled=True)
    with pytest.raises(ValueError, match=r"no pooling after conv3"):
        alexnet().cut("conv3", pooled=True)


def test_width_leaves_the_image_alone() -> None:
    encoder = vgg16().cut("conv2").with_width(7)
    network = encoder + encoder.mirror()
    assert [conv.out_channels for conv in network.convs] == [7] * 7 + [3]
    again = (vgg16().cut("conv2") + vgg16().cut("conv2").mirror()).with_width(7)
    assert again.operations == network.operations
    quarter = vgg16().cut("conv3").scale_width(0.25)
    assert [conv.out_channels for conv in quarter.convs] == [16, 16, 32, 32, 64, 64, 64]
    with pytest.raises(ValueError, match=r"`factor` must be positive"):
        vgg16().scale_width(0.0)


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7, 31])
def test_kernel_size_keeps_sizes(kernel_size: int) -> None:
    encoder = vgg16().cut("conv1_1").with_kernel_size(kernel_size)
    network = encoder + encoder.mirror()
    last = trace(network, 33, 40)[-1]
    assert (last.height, last.width) == (33, 40)
    assert network.convs[1].kernel_size == kernel_size
    with pytest.raises(ValueError, match=r"conv1 .*can't keep its output size"):
        alexnet().with_kernel_size(5)


def test_pool_activation_and_bias() -> None:
    encoder = alexnet().cut("conv2").with_pool("l2").with_activation(0.2).with_bias()
    network = encoder + encoder.mirror()
    assert {op.kind for op in network.operations if isinstance(op, Pool)} == {"l2"}
    assert [conv.slope for conv in network.convs] == [0.2, 0.2, 0.2, 1.0]
    assert all(conv.bias for conv in network.convs)


def test_mean_head_replaces_the_last_convolution() -> None:
    encoder = vgg16().cut("conv1", pooled=True)
    network = (encoder + encoder.mirror()).with_mean_head()
    assert [op.name for op in network.operations] == [
        *("conv1_1", "conv1_2", "pool1", "unpool1", "deconv1_2", "mean", "crop")
    ]
    assert network.out_channels == 1
    assert (encoder + encoder.mirror().with_mean_head()).operations == network.operations
    with pytest.raises(ValueError, match=r"does not end in an image"):
        encoder.with_mean_head()


def test_normalisation_is_definition_5_1() -> None:
    encoder = vgg16().cut("conv1", pooled=True)
    network = (encoder + encoder.mirror()).with_mean_head().with_normalisation()
    assert [conv.normalised for conv in network.convs] == [True, True, False]
    plain = (encoder + encoder.mirror()).with_normalisation()
    assert [conv.normalised for conv in plain.convs] == [True, True, True, False]


def test_descriptions_are_checked() -> None:
    with pytest.raises(ValueError, match=r"own name.*conv1"):
        Description("twice", (Conv("conv1", 2), Conv("conv1", 2)))
    with pytest.raises(ValueError, match=r"takes 64 channels, but .* gives 3"):
        Description("image", ()) + vgg16().cut("conv1").mirror()
    with pytest.raises(ValueError, match=r"`out_channels` must be a positive integer, got 0"):
        Conv("conv1", 0)
    with pytest.raises(ValueError, match=r"`padding` must be two numbers from 0 to .* 2, got \(3"):
        Conv("conv1", 1, padding=(3, 0))
    with pytest.raises(ValueError, match=r"`architecture` must be one of .*got 'resnet'"):
        architecture("resnet")
    with pytest.raises(ValueError, match="no convolution"):
        Description("pool", (Pool("pool1"),)).mirror()
    with pytest.raises(ValueError, match=r"mean 'mean' has no mirror"):
        Description("mean", (Conv("conv1", 2), ChannelMean())).mirror()
    with pytest.raises(dataclasses.FrozenInstanceError):
        vgg16().name = "x"  # type: ignore[misc]


def test_with_input_takes_pixels_and_gives_pixels() -> None:
    mean, std = (120.0, 110.0, 100.0), (50.0, 60.0, -70.0)
    encoder = vgg16().cut("conv3").with_input(mean, std)
    assert encoder.operations[0] == Normalise("normalise", mean, std)
    assert encoder.with_input(std, mean).operations[1:] == vgg16().cut("conv3").operations
    denormalise, crop = encoder.mirror().operations[-2:]
    assert crop == Crop()
    assert isinstance(denormalise, Normalise)
    assert denormalise.name == "denormalise"
    assert denormalise.mean == pytest.approx((-120 / 50, -110 / 60, 100 / 70))
    assert denormalise.std == pytest.approx((1 / 50, 1 / 60, -1 / 70))
    head = (encoder + encoder.mirror()).with_mean_head()
    assert [op.name for op in head.operations[-2:]] == ["mean", "crop"]
    assert [op.name for op in encoder.simplified().operations[:3]] == [
        *("normalise", "pool1", "pool2")
    ]
    assert encoder.simplified().mirror().operations[-2:] == (denormalise, crop)
    assert encoder.cut("conv1").operations[0] == encoder.operations[0]
