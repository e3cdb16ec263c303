"""How outputs are read: maps, channels-last maps, tokens, vectors."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from preimage.probing.capture import LayerError
from preimage.probing.features import layout_of


@pytest.mark.parametrize(
    ("shape", "kind", "grid", "prefix"),
    [
        ((2, 8, 14, 14), "maps", (14, 14), 0),
        ((2, 14, 14, 8), "channels-last maps", (14, 14), 0),
        ((2, 14, 14, 14), "maps", (14, 14), 0),
        ((2, 320, 7, 7), "maps", (7, 7), 0),
        ((2, 7, 7, 320), "channels-last maps", (7, 7), 0),
        ((2, 512, 1, 1), "vectors", None, 0),
        ((2, 1, 1, 512), "vectors", None, 0),
        ((2, 197, 64), "tokens", (14, 14), 1),
        ((2, 196, 64), "tokens", (14, 14), 0),
        ((2, 201, 64), "tokens", (14, 14), 5),
        ((2, 1, 64), "vectors", None, 0),
        ((2, 10), "vectors", None, 0),
    ],
)
def test_square_photos(
    shape: tuple[int, ...], kind: str, grid: tuple[int, int] | None, prefix: int
) -> None:
    layout = layout_of("x", shape[1:], (224, 224))
    assert (layout.kind, layout.grid, layout.prefix) == (kind, grid, prefix)


def test_photos_that_are_not_square_tell_the_axes_apart() -> None:
    size = (64, 128)
    assert layout_of("x", (8, 8, 16), size).kind == "maps"
    assert layout_of("x", (8, 16, 8), size).kind == "channels-last maps"
    assert layout_of("x", (33, 5), size).grid == (4, 8)


def test_a_model_that_knows_its_prefix_tokens_is_asked() -> None:
    timm, registers = nn.Module(), nn.Module()
    timm.num_prefix_tokens = 5  # type: ignore[assignment]
    registers.config = SimpleNamespace(num_register_tokens=4)  # type: ignore[assignment]
    for model in (timm, registers):
        layout = layout_of("x", (261, 3), (224, 224), model)
        assert (layout.grid, layout.prefix) == ((16, 16), 5)
        assert str(layout) == "tokens 261×3, 5 prefix tokens left out"


def test_reading_puts_every_value_in_its_place() -> None:
    maps = torch.arange(2 * 3 * 4 * 4.0).view(2, 3, 4, 4)
    last = maps.permute(0, 2, 3, 1)
    tokens = torch.cat([torch.full((2, 1, 3), -1.0), maps.flatten(2).transpose(1, 2)], 1)
    for output in (maps, last, tokens):
        layout = layout_of("x", tuple(output.shape[1:]), (32, 32))
        assert torch.equal(layout.read(output), maps)
    vectors = layout_of("x", (3, 1, 1), (32, 32))
    assert torch.equal(vectors.read(maps[:, :, :1, :1]), maps[:, :, 0, 0])


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 6), (2, 23, 8)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    model = nn.Module()
    model.num_prefix_tokens = 0  # type: ignore[assignment]
    with pytest.raises(LayerError, match="layer x gives"):
        layout_of("x", shape[1:], (64, 64), model)
