"""The DCN of a layer of any channels and stride: shapes, widths, and where its output lies."""

import pytest
import torch

from preimage.network.build import build
from preimage.network.layer_mirror import mirror_of_layer
from preimage.network.trace import Alignment


@pytest.mark.parametrize("unpool", ["zeros", "nearest", "bilinear"])
@pytest.mark.parametrize(
    ("channels", "alignment", "grid", "size"),
    [
        (5, Alignment(1), (13, 9), (13, 9)),
        (7, Alignment(4), (8, 5), (31, 20)),
        (6, Alignment(6, 1), (4, 3), (31, 20)),  # a stride of two primes; blocks beyond the maps
        (3, Alignment(2, -1), (17, 11), (31, 20)),
        (3, Alignment(2, 3), (12, 7), (31, 20)),
    ],
)
def test_it_gives_photos_of_any_size(
    unpool: str,
    channels: int,
    alignment: Alignment,
    grid: tuple[int, int],
    size: tuple[int, int],
    generator: torch.Generator,
) -> None:
    dcn = build(mirror_of_layer(channels, alignment, unpool, width=2))  # type: ignore[arg-type]
    features = torch.rand(2, channels, *grid, generator=generator)
    with torch.no_grad():
        assert dcn(features, {"data": size}).shape == (2, 3, *size)


def test_channels_double_with_the_stride_up_to_the_layers() -> None:
    dcn = mirror_of_layer(2048, Alignment(32))
    assert [conv.out_channels for conv in dcn.convs] == [512, 512, 256, 128, 64, 32, 3]
    narrow = mirror_of_layer(8, Alignment(4), width=16)
    assert [conv.out_channels for conv in narrow.convs] == [16, 16, 16, 3]
    assert narrow.in_channels == 8


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2, 3])
def test_a_position_reaches_the_block_that_it_lies_on(
    shift: int, generator: torch.Generator
) -> None:
    """Of position (8, 7) the pixels that change are centred on block (8 + shift, 7 + shift)."""
    linear = mirror_of_layer(2, Alignment(4, shift), "nearest", width=2).with_activation(1.0)
    dcn = build(linear, seed=1).double()
    features = torch.rand(1, 2, 16, 15, generator=generator).double()
    changed = features.clone()
    changed[..., 8, 7] += 1
    with torch.no_grad():
        sizes = {"data": (76, 74)}
        moved = (dcn(changed, sizes) - dcn(features, sizes)).abs().sum((0, 1)) > 0
    rows, columns = moved.any(1).nonzero(), moved.any(0).nonzero()
    centre = [float(i.double().mean()) for i in (rows, columns)]
    assert centre == pytest.approx([4 * (8 + shift) + 1.5, 4 * (7 + shift) + 1.5], abs=1)
