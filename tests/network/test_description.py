import dataclasses
import json

import pytest
from hypothesis import given
from strategies import encoders, paper_encoders, unpools

from preimage.network.architectures import alexnet, architecture, torchvision_alexnet, vgg16
from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Pool, Unpool
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import trace


@given(encoders(), unpools)
def test_json_round_trip(encoder: Description, unpool: str) -> None:
    network = encoder + encoder.mirror(unpool)  # type: ignore[arg-type]
    assert Description.from_json(network.to_json()) == network


def test_json_refuses_what_it_does_not_know() -> None:
    data = vgg16().cut("conv1").to_dict()
    data["operations"][0]["colour"] = "red"
    with pytest.raises(ValueError, match=r"colour"):
        Description.from_dict(data)
    data["operations"][0] = {"op": "flatten", "name": "x"}
    with pytest.raises(
        ValueError, match=r"conv, pool, unpool, crop, mean, normalise, got 'flatten'"
    ):
        Description.from_dict(data)
    with pytest.raises(ValueError, match=r"operations"):
        Description.from_json(json.dumps({"name": "x", "in_channels": 3}))


@pytest.mark.parametrize(
    "text",
    [
        "3",
        '{"name": "x", "in_channels": 3, "operations": 5}',
        '{"name": "x", "in_channels": 3, "operations": [3]}',
        '{"name": "x", "in_channels": 3, "operations": [{"op": ["x"]}]}',
        '{"name": "x", "in_channels": true, "operations": []}',
        "not JSON",
    ],
)
@pytest.mark.usefixtures("no_hint_checks")
def test_json_of_something_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Description.from_json(text)


def test_vgg16_conv5_mirror_is_figure_1() -> None:
    encoder = vgg16().cut("conv5")
    names = [op.name for op in encoder.mirror().operations]
    assert names == [
        *("deconv5_3", "deconv5_2", "deconv5_1", "unpool4"),
        *("deconv4_3", "deconv4_2", "deconv4_1", "unpool3"),
        *("deconv3_3", "deconv3_2", "deconv3_1", "unpool2"),
        *("deconv2_2", "deconv2_1", "unpool1", "deconv1_2", "deconv1_1", "crop"),
    ]
    network = encoder + encoder.mirror()
    assert len(network.convs) == 26
    assert sum(isinstance(op, Pool) for op in network.operations) == 4
    last = network.convs[-1]
    assert (last.slope, last.output, last.out_channels) == (1.0, True, 3)


def test_strided_convolutions_are_mirrored_by_their_transpose() -> None:
    mirror = alexnet().cut("conv1").mirror("nearest")
    assert mirror.operations == (
        Unpool("unconv1", "zeros", 4, like="conv1"),
        Conv("deconv1", 3, 11, padding=(10, 0), slope=1.0, output=True),
        Crop(),
    )
    padded = torchvision_alexnet().cut("conv1").mirror().convs[0]
    assert padded.padding == (8, 2)


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


def test_simplified_is_figure_7() -> None:
    encoder = vgg16().cut("conv3").simplified()
    assert encoder.operations[:2] == (Pool("pool1", "avg"), Pool("pool2", "avg"))
    assert [conv.name for conv in encoder.convs] == ["conv3_1", "conv3_2", "conv3_3"]
    assert trace(encoder, 227, 227)[-1].height == 57
    names = [op.name for op in encoder.mirror().operations]
    assert names == ["deconv3_3", "deconv3_2", "deconv3_1", "unpool2", "unpool1", "crop"]
    assert encoder.mirror().convs[-1].output
    direct = vgg16().cut("conv3").simplified(resize=False)
    assert trace(direct, 227, 227)[-1].height == 227


@given(paper_encoders())
def test_simplified_works_at_the_layers_own_size(encoder: Description) -> None:
    whole = architecture(encoder.name.split()[0]).cut(encoder.convs[-1].name)
    simple = whole.simplified()
    for size in (64, 97, 227):
        assert trace(simple, size, size)[-1].height == trace(whole, size, size)[-1].height


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


@pytest.mark.usefixtures("no_hint_checks")
def test_kinds_are_checked() -> None:
    with pytest.raises(ValueError, match="`kind` must be one of zeros, nearest, bilinear, got 'x'"):
        vgg16().cut("conv1").mirror("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`kind` must be one of max, avg, l2, got 'x'"):
        vgg16().cut("conv1").with_pool("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`simplified` must be one of no, resized, direct"):
        ReconstructConfig(simplified="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`kind` must be one of max, avg, l2, got 'median'"):
        Pool("pool1", "median")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`kind` must be one of zeros, .*, got 'cubic'"):
        Unpool("unpool1", "cubic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`stride` must be a positive integer, got 0\.5"):
        Pool("pool1", stride=0.5)  # type: ignore[arg-type]


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


def test_normalisations_are_checked() -> None:
    with pytest.raises(ValueError, match=r"one value per channel, got 1 and 2"):
        Normalise("n", (0.0,), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"`std` must be finite numbers, none of them zero"):
        Normalise("n", (0.0, 0.0), (1.0, 0.0))
    with pytest.raises(ValueError, match=r"`mean` must be finite numbers, got \(inf,\)"):
        Normalise("n", (float("inf"),), (1.0,))
    with pytest.raises(ValueError, match=r"normalise is for 1 channels, but takes 3"):
        vgg16().with_input((0.0,), (1.0,))


@pytest.mark.usefixtures("no_hint_checks")  # beartype looks at one entry of a tuple, at random
def test_normalisations_of_something_else() -> None:
    data = vgg16().cut("conv1").with_input((0.0,) * 3, (1.0,) * 3).to_dict()
    data["operations"][0]["std"] = [1.0, None, 1.0]
    with pytest.raises(
        ValueError, match=r"`std` must be finite numbers, none of them zero, got \(1.0, None, 1.0\)"
    ):
        Description.from_dict(data)
