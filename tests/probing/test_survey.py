"""Which layers `auto` takes: the ends of stages, every k-th block."""

import pytest
import torch
from torch import Tensor, nn

from preimage.probing.capture import LayerError
from preimage.probing.survey import choose_layers, survey


def chosen(model: nn.Module, size: tuple[int, int] = (16, 16)) -> list[str]:
    return choose_layers(model, "auto", survey(model, torch.zeros(2, 3, *size)))


def conv(into: int, out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(into, out, 3, stride, 1)


class Stage(nn.Module):
    """Brings the maps down at its start, within itself, as ResNet's and Swin's stages do."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(into)  # still at the resolution before
        self.down = conv(into, out, 2)
        self.blocks = nn.Sequential(conv(out, out), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.blocks(self.down(self.norm(x)))
        return maps


class Staged(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Identity()
        self.stem = conv(3, 4, 2)
        self.layers = nn.Sequential(nn.Sequential(conv(4, 4), nn.ReLU()), Stage(4, 6), Stage(6, 8))
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.layers(self.stem(self.scale(x)))
        out: Tensor = self.head(maps.mean((2, 3)))
        return out


def test_the_ends_of_stages_are_taken() -> None:
    """Neither the stem, which comes before blocks of its resolution, nor a norm in a next stage."""
    assert chosen(Staged()) == ["layers.0", "layers.1", "layers"]


def test_a_plain_chain() -> None:
    chain = [conv(3, 4), nn.ReLU(), nn.MaxPool2d(2), conv(4, 5), nn.ReLU(), nn.AvgPool2d(2)]
    assert chosen(nn.Sequential(*chain)) == ["1", "4", "5"]


class Tokens(nn.Module):
    """Patches, then blocks of tokens."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, 4)
        self.blocks = nn.Sequential(*(nn.Linear(6, 6) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        tokens: Tensor = self.blocks(self.patches(x).flatten(2).transpose(1, 2))
        return tokens


@pytest.mark.parametrize(
    ("depth", "taken"), [(4, [0, 1, 2, 3]), (12, [1, 3, 5, 7, 9, 11]), (7, [0, 2, 4, 6])]
)
def test_every_kth_block(depth: int, taken: list[int]) -> None:
    assert chosen(Tokens(depth)) == [f"blocks.{i}" for i in taken]


def test_a_model_without_maps() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 4))
    with pytest.raises(LayerError, match="no module of this model gives maps or tokens"):
        chosen(model)
