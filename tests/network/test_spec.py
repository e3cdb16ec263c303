import pytest

from preimage.network.architectures import vgg16
from preimage.network.operations import ChannelMean, Conv, Pool, Unpool
from preimage.network.spec import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    EncoderSpec,
    NetworkConfig,
    ReconstructConfig,
    parse_size,
)


def test_imagenet_pixels_are_torchvisions() -> None:
    """The documented constants of torchvision's weights, there in [0, 1]."""
    assert pytest.approx([255 * v for v in (0.485, 0.456, 0.406)]) == IMAGENET_MEAN
    assert pytest.approx([255 * v for v in (0.229, 0.224, 0.225)]) == IMAGENET_STD


def test_the_defaults_are_vgg16_up_to_conv3() -> None:
    assert EncoderSpec().encoder() == vgg16().cut("conv3")
    assert NetworkConfig().network() == vgg16().cut("conv3") + vgg16().cut("conv3").mirror()
    assert ReconstructConfig().network() == NetworkConfig().network()


def test_every_option_reaches_the_description() -> None:
    spec = NetworkConfig(
        architecture="vgg16",
        layer="conv2",
        pooled=True,
        pool="l2",
        width=8,
        width_factor=1.5,
        kernel_size=5,
        slope=0.2,
        simplified="resized",
        unpool="nearest",
        head="mean",
    )
    encoder = spec.encoder()
    assert [op.kind for op in encoder.operations if isinstance(op, Pool)] == ["l2", "l2"]
    assert [(c.name, c.out_channels, c.kernel_size, c.slope) for c in encoder.convs] == [
        ("conv2_1", 12, 5, 0.2),
        ("conv2_2", 12, 5, 0.2),
    ]
    mirror = spec.mirror().operations
    assert [op.kind for op in mirror if isinstance(op, Unpool)] == ["nearest", "nearest"]
    assert sum(isinstance(op, ChannelMean) for op in mirror) == 1
    assert [op.name for op in mirror if isinstance(op, Conv)] == ["deconv2_2"]


@pytest.mark.usefixtures("no_hint_checks")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "resnet"}, "`architecture` must be one of vgg16, alexnet, .*'resnet'"),
        ({"simplified": "x"}, "`simplified` must be one of no, resized, direct, got 'x'"),
        ({"seed": -1}, "`seed` must be a nonnegative integer, got -1"),
        ({"size": 2.5}, r"`size` must be an integer from 0 to 16384, got 2\.5"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReconstructConfig(**options)  # type: ignore[arg-type]


def test_sizes() -> None:
    assert parse_size("227") == (227, 227)
    assert parse_size("200x300") == parse_size("200×300") == parse_size("200X300") == (200, 300)


@pytest.mark.parametrize("text", ["", "0", "-3", "3x", "1x2x3", "2.5", "x"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(
        ValueError, match="`size` must be a side such as 227, or HEIGHTxWIDTH, from 1"
    ):
        parse_size(text)
