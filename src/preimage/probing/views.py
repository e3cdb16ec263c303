"""Pairs that a decoder of maps is trained on: the features of training photos, and what the linear
decoder leaves of the photo.

A photo is seen as it is, mirrored, and shifted by less than a position; for each view the model
computes its features once. They are kept in memory, in rounds where they do not all fit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.data.crops import Batch, EpochBatches, permutation, random_numbers

Pixels = Float[Tensor, "N 3 H W"]
Blocks = Float[Tensor, "N C h w"]
#: Maps on blocks (N, C, h, w), and the residual (N, 3, h·stride, w·stride), of some photos.
MakePairs = Callable[[Pixels], tuple[Blocks, Pixels]]
_TILE_PIXELS, _TILE_POSITIONS = 64, 8  # sides of a tile, at the least
_TOGETHER = 16  # photos per forward pass


@dataclass(frozen=True)
class Views:
    """Which pairs there are, and how many steps each round of them is trained on.

    Args:
        photos: the training photos.
        stride: pixels per position.
        count: views of each photo: as it is, mirrored, then shifted, every second one mirrored.
        capacity: pairs that fit in memory.
        seed: of shifts, order and tiles.
    """

    photos: Pixels
    stride: int
    count: int
    capacity: int
    seed: int

    @property
    def rounds(self) -> int:
        """How often the memory is filled."""
        return -(-len(self.photos) * self.count // self.capacity)

    def batches(self, make: MakePairs, steps: int, batch_size: int) -> Iterator[Batch]:
        """Tiles at random places of random pairs: `labels` are maps, `pixels` residuals."""
        order = permutation(len(self.photos) * self.count, self.seed, 0)
        for number, chosen in enumerate(np.array_split(order, self.rounds)):
            maps, residuals = self._pairs(chosen, make)
            first, last = (steps * k // self.rounds for k in (number, number + 1))
            keys = iter(EpochBatches(len(chosen), batch_size, self.seed + number))
            for _ in range(first, last):
                yield self._tiles(maps, residuals, next(keys))

    @torch.no_grad()
    def _pairs(self, chosen: np.ndarray, make: MakePairs) -> tuple[Blocks, Pixels]:
        whole: list[Tensor] = []  # filled in place: joining parts would take twice the memory
        for start in range(0, len(chosen), _TOGETHER):
            part = [divmod(int(n), len(self.photos)) for n in chosen[start : start + _TOGETHER]]
            found = make(torch.stack([self.view(*key) for key in part]))
            whole = whole or [new.new_empty(len(chosen), *new.shape[1:]) for new in found]
            for all_, new in zip(whole, found, strict=True):
                all_[start : start + len(part)] = new
        return whole[0], whole[1]

    def view(self, view: int, index: int) -> Float[Tensor, "3 H W"]:
        """A photo as it is for view 0, mirrored for odd ones, shifted from view 2 on."""
        photo = self.photos[index].float()
        if view >= 2:
            pad = min(self.stride, *(length - 1 for length in photo.shape[1:]))
            padded = F.pad(photo[None], (pad,) * 4, mode="reflect")[0]
            draws = random_numbers(self.seed, np.array([view]), np.array([index]), 2)[0]
            top, left = (draws * (2 * pad + 1)).astype(int).tolist()
            photo = padded[:, top : top + photo.shape[1], left : left + photo.shape[2]]
        return photo.flip(-1) if view % 2 else photo

    def _tiles(self, maps: Blocks, residuals: Pixels, keys: list[tuple[int, int]]) -> Batch:
        least = max(-(-_TILE_PIXELS // self.stride), _TILE_POSITIONS)
        height, width = (min(least, length) for length in maps.shape[2:])
        room = np.array(maps.shape[2:]) - (height, width) + 1
        epochs, indices = np.array(keys).T
        places = (random_numbers(self.seed + 1, epochs, indices, 2) * room).astype(int).tolist()
        features, targets, s = [], [], self.stride
        for index, (top, left) in zip(indices.tolist(), places, strict=True):
            rows, columns = slice(top, top + height), slice(left, left + width)
            features.append(maps[index, :, rows, columns])
            rows = slice(s * top, s * (top + height))
            targets.append(residuals[index, :, rows, s * left : s * (left + width)])
        return Batch(torch.stack(targets), torch.stack(features), [])
