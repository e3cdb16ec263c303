"""The photos of a sweep, in a form that travels to worker processes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from preimage.data.photo import Photo, fingerprint
from preimage.notebook.brief import Brief


@dataclass(frozen=True, repr=False)
class PackedPhotos(Brief):
    """Photos as plain arrays, as 8-bit integers where that loses nothing.

    NumPy arrays, not tensors: those would travel in shared memory, which dies with a worker.
    """

    names: tuple[str, ...]
    hashes: tuple[str, ...]
    arrays: tuple[np.ndarray, ...]

    @classmethod
    def pack(cls, photos: Iterable[Photo]) -> "PackedPhotos":
        """The photos as arrays.

        Raises:
            ValueError: there is none.
        """
        photos = list(photos)
        if not photos:
            raise ValueError("a sweep needs at least one photo.")
        return cls(
            tuple(photo.name for photo in photos),
            tuple(photo.sha256 for photo in photos),
            tuple(_smallest(photo.pixels.numpy()) for photo in photos),
        )

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def sha256(self) -> str:
        """A hash of all pixels, in order."""
        return fingerprint(self.hashes)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of each photo."""
        return tuple((array.shape[1], array.shape[2]) for array in self.arrays)

    def photo(self, index: int) -> Photo:
        """One photo; its source is its name."""
        pixels = torch.from_numpy(self.arrays[index].astype(np.float32))
        return Photo(self.names[index], self.names[index], pixels)


def _smallest(pixels: np.ndarray) -> np.ndarray:
    whole = pixels.astype(np.uint8)
    return whole if np.array_equal(whole, pixels) else pixels
