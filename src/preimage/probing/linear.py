"""The linear rung: ridge regression from features to pixels, many layers in one pass.

Maps and tokens: one linear map from the k×k window of features around a position to the block of
pixels that it stands for, as in `preimage.decoders.least_squares`. Vectors: one linear map to the
lowest frequencies of the picture's cosine transform (`preimage.probing.vectors`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.decoders.blocks import on_blocks, to_blocks
from preimage.decoders.normal_equations import NormalEquations
from preimage.decoders.window_sums import WindowMoments
from preimage.network.trace import Alignment

Pixels = Float[Tensor, "N 3 H W"]
Maps = Float[Tensor, "N C h w"]
RIDGES = tuple(10.0**power for power in range(-9, 3))
_GREY = 127.5  # taken from the pixels before they are summed: products lose fewer digits


@dataclass(frozen=True)
class LinearDecoder:
    """Pixels from maps: weight (P, 3·s²) and bias (3·s²), P = k·k·C, of standardised features.

    Args:
        centre: taken from each channel before it is divided by its `scale`.
        ridge: the one chosen, times the mean diagonal of the centred Gram.
        equations: the sums over the training photos that it was solved from.
    """

    weight: Float[Tensor, "P Q"]
    bias: Float[Tensor, " Q"]
    centre: Float[Tensor, "C 1 1"]
    scale: Float[Tensor, "C 1 1"]
    alignment: Alignment
    window: int
    ridge: float
    equations: NormalEquations

    def __call__(self, maps: Maps, size: tuple[int, int]) -> Pixels:
        """Photos of this (height, width), in [0, 255] but not clipped."""
        maps = on_blocks((_real(maps) - self.centre) / self.scale, self.alignment, size)
        k, channels = self.window, maps.shape[1]
        weight = self.weight.to(maps).view(k, k, channels, -1).permute(3, 2, 0, 1)
        blocks = F.conv2d(maps, weight.contiguous(), self.bias.to(maps), padding=k // 2)
        return F.pixel_shuffle(blocks, self.alignment.stride)[..., : size[0], : size[1]]


class LinearSums:
    """What the linear decoder of one layer is solved from, summed batch by batch.

    Args:
        channels: of the maps.
        alignment: of the maps on the photo.
        window: side k of the window, odd.
    """

    def __init__(self, channels: int, alignment: Alignment, window: int) -> None:
        self.alignment, self.window = alignment, window
        targets = 3 * alignment.stride**2
        self._parts = [WindowMoments(channels, targets, window) for _ in range(2)]
        self._standard: tuple[Tensor, Tensor] | None = None

    def add(self, maps: Maps, pixels: Pixels, held_back: Sequence[bool]) -> None:
        """A batch of photos; those `held_back` choose the ridge."""
        size = (pixels.shape[2], pixels.shape[3])
        # A random network's channels may vary by a thousandth of their mean, or by a thousand times
        # less than their neighbours: brought to one scale first, float32 products lose nothing.
        if self._standard is None:
            self._standard = standard(maps)
        centre, scale = self._standard
        maps = _real(maps)
        laid = on_blocks((maps - centre) / scale, self.alignment, size).contiguous()
        targets = to_blocks(pixels.to(maps) - _GREY, self.alignment.stride)
        for part, wanted in zip(self._parts, (False, True), strict=True):
            chosen = [i for i, held in enumerate(held_back) if held is wanted]
            if chosen:
                part.add(laid, targets, chosen)

    def solve(self, ridges: Sequence[float] = RIDGES) -> LinearDecoder:
        """The decoder of the ridge that does best on the photos held back, fitted to all.

        Raises:
            ValueError: no photo was held back or fitted to, or no ridge can be solved.
        """
        if not all(part.count for part in self._parts):
            raise ValueError("a linear decoder needs photos to fit to and photos to hold back.")
        fit, held_back = (part.finish() for part in self._parts)
        errors: dict[float, float] = {}
        for ridge in ridges:
            solution = fit.solve(ridge)
            if solution is not None:
                errors[ridge] = held_back.squared_error(*solution)
        total = fit + held_back
        for ridge in sorted(errors, key=lambda r: errors[r]):
            solution = total.solve(ridge)
            if solution is not None:
                assert self._standard is not None
                weight, bias = solution[0], solution[1] + _GREY
                place = (self.alignment, self.window)
                return LinearDecoder(weight, bias, *self._standard, *place, ridge, total)
        raise ValueError(f"no ridge of {tuple(ridges)} can be solved; the features are constant.")


def standard(maps: Maps) -> tuple[Float[Tensor, "C 1 1"], Float[Tensor, "C 1 1"]]:
    """Mean and standard deviation of each channel of some maps; 1 where a channel is constant."""
    values = maps.double().movedim(1, 0).flatten(1)
    mean, std = values.mean(1), values.std(1)
    constant = std <= 1e-7 * mean.abs()
    std = torch.where(constant, torch.ones_like(std), std)
    return mean.to(_real(maps))[:, None, None], std.to(_real(maps))[:, None, None]


def _real(maps: Tensor) -> Tensor:
    """At least in single precision."""
    return maps.to(torch.promote_types(maps.dtype, torch.float32))
