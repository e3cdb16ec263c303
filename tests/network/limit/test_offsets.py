import pytest
import torch

from preimage import Conv, Description, Pool, vgg16
from preimage.network.limit.offsets import Offsets, backward_pass
from preimage.network.operations import ChannelMean, Normalise
from preimage.theory import limit


def _l2_before_average() -> Description:
    pools = (Pool("pa", "l2"), Pool("pb", "avg"))
    ops = (Conv("a", 2), pools[0], Conv("b", 2), pools[1], Conv("c", 2), ChannelMean())
    return Description("two pools", ops).with_normalisation()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e + e.mirror(), "Gaussian random field"),
        (lambda e: (e + e.mirror()).with_mean_head(), "sampled_limit"),
        (
            lambda e: (e.with_pool("avg") + e.mirror()).with_mean_head().with_activation(1.0),
            "slope 1",
        ),
        (lambda _: _l2_before_average(), "l2 pooling before average pooling"),
    ],
)
def test_what_has_no_limit_is_refused_with_the_reason(change, message):
    with pytest.raises(ValueError, match=message):
        limit(change(vgg16().cut("conv2")), torch.ones(1, 3, 16, 16))


def test_a_normalisation_of_features_is_refused():
    ops = (Conv("a", 2), Normalise("n", (1.0, 1.0), (1.0, 1.0)), Conv("b", 2), ChannelMean())
    with pytest.raises(ValueError, match="n stands behind the first convolution"):
        limit(Description("x", ops), torch.ones(1, 3, 8, 8))


def test_pooling_before_the_mean_is_refused():
    ops = (Conv("a", 2), Pool("p", "l2"), ChannelMean())
    with pytest.raises(ValueError, match="does not commute with the mean"):
        limit(Description("x", ops), torch.ones(1, 3, 8, 8))
    with pytest.raises(ValueError, match="nothing random"):
        limit(Description("x", (ChannelMean(),)), torch.ones(1, 3, 8, 8))


def test_conv5_with_four_average_pools_needs_961_offsets() -> None:
    """Of both signs, at its first convolution: 31 × 31, of a photo of any size."""
    encoder = vgg16().cut("conv5").with_pool("avg")
    network = (encoder + encoder.mirror("nearest")).with_mean_head()
    first = backward_pass(network, 64, 48).hidden[0]
    assert first.given == Offsets(tuple(range(16)), tuple(range(-15, 16)))
    assert len(first.given) == 961


def test_l2_pooling_needs_norms_alone() -> None:
    encoder = vgg16().cut("conv5").with_pool("l2")
    network = (encoder + encoder.mirror("nearest")).with_mean_head()
    stages = backward_pass(network, 64, 48).hidden
    assert all(stage.needed.is_diagonal for stage in stages)
    assert {len(stage.given) for stage in stages} == {1}


def test_a_strided_convolution_spreads_the_offsets() -> None:
    ops = (
        Conv("a", 2, 1, padding=(0, 0)),
        Conv("b", 2, stride=3),
        Pool("p", "avg"),
        Conv("c", 2),
        ChannelMean(),
    )
    stages = backward_pass(Description("strided", ops), 24, 18).hidden
    assert [stage.given for stage in stages] == [
        Offsets((0, 3), (-3, 0, 3)),
        Offsets((0, 1), (-1, 0, 1)),
        Offsets(),
    ]
