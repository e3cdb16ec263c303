"""Memory read off descriptions, against what networks really hold."""

import pytest
import torch
from torch import nn

from preimage.network.architectures import vgg16
from preimage.network.build import Network, build
from preimage.network.footprint import (
    encoder_bytes,
    map_bytes,
    module_bytes,
    training_bytes,
    weight_bytes,
    window_bytes,
)
from preimage.network.trace import feature_size, input_sizes


def small() -> Network:
    return build(vgg16().cut("conv2").with_width(6))


def test_weights_are_those_of_the_network() -> None:
    network = small()
    held = sum(weight.numel() * 4 for weight in network.parameters())
    assert weight_bytes(network.description) == held


def test_maps_are_the_largest_pair_of_one_operation() -> None:
    description = small().description
    # conv1_2: 6 channels in and out of 21×33 pixels.
    assert map_bytes(description, (21, 33)) == 4 * (6 + 6) * 21 * 33
    assert map_bytes(description, (21, 33), photos=3, bytes_per_value=8) == 8 * 3 * 12 * 21 * 33
    assert encoder_bytes(small(), (21, 33), photos=2) == 4 * 2 * 12 * 21 * 33


def test_an_unpooling_is_not_whole_in_memory() -> None:
    encoder = small().description
    decoder = encoder.mirror()
    size, sizes = feature_size(encoder, (24, 24)), input_sizes(encoder, 24, 24)
    assert size == (12, 12)
    # The last convolution, 6 channels in and 3 out; not unpooled maps beside those behind them.
    assert map_bytes(decoder, size, sizes) == 4 * (6 + 3) * 24 * 24


def test_training_keeps_all_outputs() -> None:
    description = small().description
    outputs = 2 * 6 * 20 * 20 + 6 * 10 * 10 + 2 * 6 * 10 * 10
    weights = 4 * weight_bytes(description)
    assert training_bytes(description, (20, 20), photos=5) == 4 * 5 * outputs + weights


@pytest.mark.usefixtures("no_hint_checks")
def test_of_a_module_only_the_photos_are_known() -> None:
    assert encoder_bytes(nn.Identity(), (10, 20), photos=2) == 2 * 4 * 3 * 2 * 200  # type: ignore[arg-type]


@pytest.mark.parametrize(("window", "least"), [(1, 3 * 8 * 5**2), (101, 3 * 8 * (101**2 * 5) ** 2)])
def test_a_window_takes_three_matrices(window: int, least: int) -> None:
    found = window_bytes(5, 2, window, 100)
    assert least <= found < 2 * least + 4 * 8 * 13 * window**2 * 5 + 100 * 4 * 13 * window**2


def test_a_window_that_never_fits() -> None:
    assert window_bytes(256, 4, 101, 10_000) > 1e14
    assert torch.float64.itemsize == 8


def test_a_module_is_measured_without_its_hooks_and_left_as_it_is() -> None:
    module = nn.Sequential(nn.Conv2d(3, 6, 4, 2), nn.ReLU(inplace=True), nn.BatchNorm2d(6)).train()
    seen: list[object] = []
    module[0].register_forward_hook(lambda *what: seen.append(what))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    # The convolution: 2 photos of 3×9×11 in, 6×3×4 out.
    assert module_bytes(module, (9, 11), photos=2) == max(
        2 * 4 * 2 * 3 * 9 * 11, 4 * 2 * (3 * 9 * 11 + 6 * 3 * 4)
    )
    assert not seen
    assert module.training
    assert len(module[0]._forward_hooks) == 1
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
