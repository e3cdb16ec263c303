"""The linear rung: ridge regression from features to pixels, many layers in one pass.

Maps and tokens: one linear map from the k×k window of features around a position to the block of
pixels that it stands for, as in `preimage.decoders.least_squares`. Vectors: one linear map to the
lowest frequencies of the picture's cosine transform (`preimage.probing.vectors`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.decoders.blocks import on_blocks
from preimage.decoders.normal_equations import NormalEquations
from preimage.network.trace import Alignment
from preimage.probing.block_sums import GREY, BlockSums, PixelBlocks, Standard, standard

Pixels = Float[Tensor, "N 3 H W"]
Maps = Float[Tensor, "N C h w"]
_ROUNDING = 1e-6  # of a channel's largest value: differences that are none
_FIRST = 8  # photos that give the channels' scale
RIDGES = tuple(10.0**power for power in range(-9, 3))


@dataclass(frozen=True)
class LinearDecoder:
    """Pixels from maps: weight (P, 3·s²) and bias (3·s²), P = k·k·C, of standardised features.

    Args:
        standard: how channels are brought to one scale first.
        ridge: the one chosen, times the mean diagonal of the centred Gram.
        equations: the sums over the training photos that it was solved from.
        mean: where maps are the same for every photo, the training photos' mean picture, which
            then is all that comes back; a decoder of positions would give the mean block.
    """

    weight: Float[Tensor, "P Q"]
    bias: Float[Tensor, " Q"]
    standard: Standard
    alignment: Alignment
    window: int
    ridge: float
    equations: NormalEquations
    mean: Float[Tensor, "3 H W"] | None = None

    def __call__(self, maps: Maps, size: tuple[int, int]) -> Pixels:
        """Photos of this (height, width), in [0, 255] but not clipped."""
        if self.mean is not None:
            return self.mean.expand(len(maps), *self.mean.shape)
        maps = on_blocks(self.standard(maps), self.alignment, size)
        k, channels = self.window, maps.shape[1]
        weight = self.weight.to(maps).view(k, k, channels, -1).permute(3, 2, 0, 1)
        blocks = F.conv2d(maps, weight.contiguous(), self.bias.to(maps), padding=k // 2)
        return F.pixel_shuffle(blocks, self.alignment.stride)[..., : size[0], : size[1]]


class LinearSums:
    """What the linear decoder of one layer is solved from, summed batch by batch.

    Args:
        alignment: of the maps on the photo.
        window: side k of the window, odd.
        positions: how many random positions are taken per photo; None takes all.
        components: how many principal components of the channels are left; None leaves the
            channels.

    Scale and components of the channels are those of the first 8 photos, however they come in
    batches.
    """

    def __init__(
        self,
        alignment: Alignment,
        window: int = 1,
        positions: int | None = None,
        components: int | None = None,
    ) -> None:
        self.alignment, self.window = alignment, window
        self.positions, self.components = positions, components
        self._waiting: list[tuple[Maps, PixelBlocks, Sequence[bool]]] = []
        self._parts: list[BlockSums] = []
        self._photos = 0
        # What every photo so far gives, and the sum of these photos; None once two differ.
        self._same: Float[Tensor, "1 C h w"] | None = None
        self._sum: Float[Tensor, "3 H W"] | None = None

    def add(self, maps: Maps, pixels: Pixels | PixelBlocks, held_back: Sequence[bool]) -> None:
        """A batch of photos; those `held_back` choose the ridge.

        Args:
            pixels: in [0, 255]; `PixelBlocks` of them, where several layers share a batch.
        """
        pixels = pixels if isinstance(pixels, PixelBlocks) else PixelBlocks(pixels)
        self._waiting.append((maps, pixels, held_back))
        if self._parts or sum(len(maps) for maps, *_ in self._waiting) >= _FIRST:
            self._take_waiting()

    def _take_waiting(self) -> None:
        if not self._parts and self._waiting:
            first = torch.cat([maps for maps, *_ in self._waiting])[:_FIRST]
            form = standard(first, self.components), self.alignment, self.window, self.positions
            self._parts = [BlockSums(*form), BlockSums(*form)]
            self._same = first[:1].clone()
        for batch in self._waiting:
            self._take(*batch)
        self._waiting = []

    def _take(self, maps: Maps, pixels: PixelBlocks, held_back: Sequence[bool]) -> None:
        laid, blocks = pixels.beside(maps, self.alignment)
        for part, wanted in zip(self._parts, (False, True), strict=True):
            chosen = [i for i, held in enumerate(held_back) if held is wanted]
            part.add(laid, blocks, chosen, self._photos)
        self._photos += len(maps)
        if self._same is not None:
            self._compare(self._same, maps, pixels.pixels)

    def _compare(self, first: Float[Tensor, "1 C h w"], maps: Maps, pixels: Pixels) -> None:
        """Whether a layer gives the same for every photo, but for rounding, is seen soon."""
        differences = (maps - first).abs().amax((0, 2, 3))
        if (differences > _ROUNDING * first.abs().amax((0, 2, 3))).any():
            self._same = self._sum = None
            return
        added = pixels.sum(0, dtype=torch.float64)
        self._sum = added if self._sum is None else self._sum + added

    def solve(self, ridges: Sequence[float] = RIDGES) -> LinearDecoder:
        """The decoder of the ridge that does best on the photos held back, fitted to all.

        Raises:
            ValueError: no photo was held back or fitted to, or no ridge can be solved.
        """
        self._take_waiting()
        if not self._parts or not all(part.count for part in self._parts):
            raise ValueError("a linear decoder needs photos to fit to and photos to hold back.")
        fit, held_back = (part.finish() for part in self._parts)
        errors = fit.errors_on(held_back, ridges)
        total = fit + held_back
        if not total.gram.any():  # constant features: the mean block, whatever the ridge
            nothing = torch.zeros_like(total.cross), total.sum_y / total.count
            return self._decoder(*nothing, max(ridges), total)
        for ridge in sorted(errors, key=lambda r: errors[r]):
            solution = total.solve(ridge)
            if solution is not None:
                return self._decoder(*solution, ridge, total)
        raise ValueError(f"no ridge of {tuple(ridges)} can be solved; the features are constant.")

    def least_error(self, ridges: Sequence[float] = RIDGES) -> float:
        """Squared error of the best of these ridges on the photos held back; infinite for none."""
        self._take_waiting()
        fit, held_back = (part.finish() for part in self._parts)
        return min(fit.errors_on(held_back, ridges).values(), default=inf)

    def _decoder(
        self, weight: Tensor, bias: Tensor, ridge: float, total: NormalEquations
    ) -> LinearDecoder:
        place = (self._parts[0].standard, self.alignment, self.window)
        mean = None if self._sum is None else (self._sum / self._photos).float()
        return LinearDecoder(weight, bias + GREY, *place, ridge, total, mean)
