import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import encoders, paper_encoders, unpools

from preimage.network.architectures import alexnet, torchvision_alexnet, vgg16
from preimage.network.description import Description
from preimage.network.operations import Conv, Crop, Pool, Unpool
from preimage.network.trace import least_size, trace


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


@settings(max_examples=120)
@given(paper_encoders(), unpools, st.integers(1, 600), st.integers(1, 600))
def test_mirror_gives_back_every_size(
    encoder: Description, unpool: str, height: int, width: int
) -> None:
    network = encoder + encoder.mirror(unpool)  # type: ignore[arg-type]
    least = least_size(network)
    if min(height, width) < least:
        with pytest.raises(ValueError, match=f"at least {least}×{least} pixels"):
            trace(network, height, width)
    else:
        last = trace(network, height, width)[-1]
        assert (last.channels, last.height, last.width) == (3, height, width)


@given(encoders(), unpools, st.integers(1, 60), st.integers(1, 60))
def test_mirror_of_any_encoder(encoder: Description, unpool: str, height: int, width: int) -> None:
    network = encoder + encoder.mirror(unpool)  # type: ignore[arg-type]
    assume(min(height, width) >= least_size(network))
    last = trace(network, height, width)[-1]
    assert (last.channels, last.height, last.width) == (network.in_channels, height, width)
