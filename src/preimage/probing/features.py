"""Kinds of features: maps, tokens on a grid, vectors; each brought to one form and named.

A decoder reads maps (N, C, h, w) or vectors (N, D). Channels-last maps are transposed, tokens laid
back on their grid and the others (class and register tokens) left out, which is recorded.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from preimage.probing.capture import LayerError

#: Class and register tokens that are guessed at the most, where a model does not tell.
_MOST_PREFIX = 16
#: A map's grid may have other proportions than the photo, by rounding: 2×1 positions at the most.
_MOST_DISTORTION = 2.0

Kind = Literal["maps", "channels-last maps", "tokens", "vectors"]


@dataclass(frozen=True)
class Layout:
    """How a layer's output is read.

    Args:
        shape: of the output for one photo, without the batch axis.
        channels: numbers per position, or of the whole vector.
        grid: (rows, columns) of positions; None for vectors.
        prefix: tokens in front of the grid that are left out (class and register tokens).
    """

    kind: Kind
    shape: tuple[int, ...]
    channels: int
    grid: tuple[int, int] | None
    prefix: int = 0

    def __str__(self) -> str:
        size = "×".join(map(str, self.shape))
        taken = f", {self.prefix} prefix tokens left out" if self.prefix else ""
        return f"{self.kind} {size}{taken}"

    def read(self, output: Tensor) -> Float[Tensor, "N ..."]:
        """Maps (N, C, h, w), or vectors (N, D)."""
        match self.kind:
            case "maps":
                return output
            case "channels-last maps":
                return output.permute(0, 3, 1, 2)
            case "tokens":
                assert self.grid is not None
                tokens = output[:, self.prefix :].transpose(1, 2)
                return tokens.reshape(*tokens.shape[:2], *self.grid)
        return output.flatten(1)


def layout_of(
    name: str, shape: tuple[int, ...], size: tuple[int, int], model: nn.Module | None = None
) -> Layout:
    """How to read a layer's output.

    Args:
        shape: of the output for one photo, without the batch axis.
        size: (height, width) of the photo.
        model: asked for its number of prefix tokens, where it knows it (timm, Hugging Face).

    Raises:
        LayerError: an output of no known form.
    """
    match len(shape):
        case 1:
            return Layout("vectors", shape, shape[0], None)
        case 2:
            return _tokens(name, shape, size, model)
        case 3:
            return _maps(name, shape, size)
    raise LayerError(
        f"layer {name} gives {shape} per photo; expected maps (C, h, w), tokens (T, D) or vectors "
        "(D); name a tensor of such a form with `selectors`."
    )


def _maps(name: str, shape: tuple[int, ...], size: tuple[int, int]) -> Layout:
    if shape[1:] == (1, 1) or shape[:2] == (1, 1):
        return Layout("vectors", shape, shape[0] * shape[1] * shape[2], None)
    # Positions have the photo's proportions; where both readings have them, channels come first.
    first, last = (_distortion(grid, size) for grid in (shape[1:], shape[:2]))
    if min(first, last) > _MOST_DISTORTION:
        raise LayerError(
            f"layer {name} gives {shape} per photo, which has no axes of the photo's proportions; "
            "name a tensor that does with `selectors`."
        )
    if first <= last:
        return Layout("maps", shape, shape[0], (shape[1], shape[2]))
    return Layout("channels-last maps", shape, shape[2], (shape[0], shape[1]))


def _distortion(grid: tuple[int, ...], size: tuple[int, int]) -> float:
    """How far a grid's proportions are from the photo's; infinite if it is larger."""
    if grid[0] > size[0] or grid[1] > size[1]:
        return float("inf")
    ratio = (grid[0] / size[0]) / (grid[1] / size[1])
    return max(ratio, 1 / ratio)


def _tokens(
    name: str, shape: tuple[int, ...], size: tuple[int, int], model: nn.Module | None
) -> Layout:
    count, width = shape
    if count < 4 or width == 1:
        return Layout("vectors", shape, count * width, None)
    known = _prefix_tokens(model)
    for prefix in [known] if known is not None else range(min(count, _MOST_PREFIX + 1)):
        if grid := _grid(count - prefix, size):
            return Layout("tokens", shape, width, grid, prefix)
    raise LayerError(
        f"layer {name} gives {count} tokens, which do not lie on a grid of the photo's "
        "proportions; name a tensor that does with `selectors`."
    )


def _prefix_tokens(model: nn.Module | None) -> int | None:
    """Class and register tokens of a timm or Hugging Face vision transformer."""
    timm = getattr(model, "num_prefix_tokens", None)
    if isinstance(timm, int):
        return timm
    config = getattr(model, "config", None)
    registers = getattr(config, "num_register_tokens", None)
    if isinstance(registers, int):
        return 1 + registers
    return None


def _grid(count: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """(rows, columns) of so many tokens in a photo's proportions."""
    if count < 1:
        return None
    rows = isqrt(round(count * size[0] / size[1]))
    for candidate in (rows, rows + 1):
        if candidate and count % candidate == 0:
            grid = (candidate, count // candidate)
            if abs(grid[0] / size[0] - grid[1] / size[1]) < 1 / max(size):
                return grid
    return None
