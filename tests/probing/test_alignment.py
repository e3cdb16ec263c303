"""Placements measured on a module equal the arithmetic of receptive fields."""

from collections.abc import Callable
from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn

from preimage import alexnet, alignment, build, torchvision_alexnet, trace, vgg16
from preimage.network.description import Description
from preimage.probing.alignment import measure_placements


def features(module: Callable[[Tensor], Tensor]) -> Callable[[Tensor], dict[str, Tensor]]:
    return lambda pixels: {"x": module(pixels)}


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
@pytest.mark.parametrize("architecture", [vgg16, alexnet, torchvision_alexnet])
def test_descriptions(architecture: Callable[[], Description], layer: str) -> None:
    description = architecture().with_width(4).cut(layer)
    network = build(description)
    network.fast = False  # Winograd's blocks would spread what is no number
    found = measure_placements(features(network), (160, 150))["x"]
    expected = alignment(description)
    assert found.how == "measured"
    assert found.alignment == expected
    assert found.receptive_field == trace(description, 160, 150)[-1].receptive_field


@pytest.mark.parametrize(
    ("module", "stride", "centre", "field"),
    [
        (nn.Conv2d(3, 4, 7, 2, 3), 2, 0.0, 7),  # ResNet's first convolution
        (nn.Sequential(nn.Conv2d(3, 4, 7, 2, 3), nn.MaxPool2d(3, 2, 1)), 4, 0.0, 11),
        (nn.Sequential(nn.Conv2d(3, 4, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2)), 4, 5.0, 11),
        (nn.Conv2d(3, 4, 4, 4), 4, 1.5, 4),  # patches
        (nn.Sequential(nn.Conv2d(3, 4, 3, padding=2, dilation=2), nn.AvgPool2d(2)), 2, 0.5, 6),
    ],
)
def test_modules_by_hand(module: nn.Module, stride: int, centre: float, field: int) -> None:
    found = measure_placements(features(module), (64, 64))["x"]
    assert (found.stride, found.centre, found.receptive_field) == (stride, centre, field)


def test_a_border_that_no_position_sees_changes_nothing() -> None:
    """64 pixels, of which a 7×7 convolution of stride 2 sees 63: the last rows end at pixel 62."""
    stem = nn.Sequential(nn.Conv2d(3, 2, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True))
    blocks = nn.Sequential(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(3)))
    found = measure_placements(features(nn.Sequential(stem, blocks)), (64, 64))["x"]
    assert (found.stride, found.centre, found.receptive_field) == (4, 5.0, 35)


def test_dead_units_and_zero_weights_hide_nothing() -> None:
    conv = nn.Conv2d(3, 2, 5, padding=2)
    nn.init.zeros_(conv.weight)
    nn.init.constant_(conv.bias, -1.0)
    found = measure_placements(features(nn.Sequential(conv, nn.ReLU())), (32, 32))["x"]
    assert (found.stride, found.centre, found.receptive_field) == (1, 0.0, 5)


class Gated(nn.Module):
    """Squeeze and excitation: every position sees the whole photo."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 8, 8)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.conv(x)
        return maps * maps.mean((2, 3), keepdim=True).sigmoid()


def test_layers_that_see_everything_lie_on_a_grid() -> None:
    found = measure_placements(features(Gated()), (64, 48))["x"]
    assert (found.how, found.stride, found.receptive_field) == ("grid", 8, None)
    assert found.alignment == (8, 0)


def test_strides_that_are_no_whole_number_have_no_alignment() -> None:
    found = measure_placements(features(nn.AdaptiveAvgPool2d(6)), (64, 64))["x"]
    assert found.stride == Fraction(32, 3)
    with pytest.raises(ValueError, match="32/3 pixels apart"):
        _ = found.alignment


def test_a_constant_layer_is_refused() -> None:
    constant = torch.ones(1, 2, 8, 8)
    with pytest.raises(ValueError, match="layer x does not depend on the photo"):
        measure_placements(lambda pixels: {"x": constant.expand(len(pixels), -1, -1, -1)}, (16, 16))
