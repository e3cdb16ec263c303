"""Square crops of a source's images, and the order in which training sees them.

Everything is a pure function of (seed, epoch, index): a run that is resumed in the middle of an
epoch, with any number of processes and workers, sees the same bits as an uninterrupted one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from preimage.data.archives import PhotoError
from preimage.data.memory import MemorySource
from preimage.data.photo import scale_short_side
from preimage.data.sources import ImageSource

Key = tuple[int, int]  # epoch, index


@dataclass(frozen=True)
class Augment:
    """Random crops; with `flip`, half of them are mirrored left to right.

    `pad` pixels are first added on every side: zeros or, with `reflect`, the image's own. The
    usual small shifts for CIFAR-10 are size 32 with pad 4.
    """

    flip: bool = False
    pad: int = 0
    reflect: bool = False

    def __post_init__(self) -> None:
        if self.pad < 0:
            raise ValueError(f"`pad` must not be negative, got {self.pad}.")


class Sample(NamedTuple):
    """A crop, its class if the source has classes, and why another image replaces it, if so."""

    pixels: UInt8[Tensor, "3 S S"]
    label: int | None
    problem: str | None


class Batch(NamedTuple):
    """Crops, their classes if the source has classes, and a line per image that was not read."""

    pixels: UInt8[Tensor, "N 3 S S"]
    labels: Int64[Tensor, " N"] | None
    problems: list[str]


class CropDataset(Dataset[Any]):
    """Crops of `size` × `size` RGB pixels, uint8, one per (epoch, index).

        dataset[epoch, index]            one Sample
        dataset.batch([(0, 3), (0, 7)])  a Batch; what torch's DataLoader calls too

    With `resize`, the shorter side of each photo is resized to it (Lanczos); without, only photos
    smaller than the crop are enlarged to it. Without `augment` the crop is the centre of the photo.
    An image that cannot be read is replaced by the next one that can.
    """

    def __init__(
        self,
        source: ImageSource,
        size: int,
        seed: int = 0,
        *,
        resize: int | None = None,
        augment: Augment | None = None,
    ) -> None:
        if size < 1 or (resize is not None and resize < size):
            raise ValueError(
                f"`size` must be positive and `resize` no smaller, got {size} and {resize}."
            )
        if seed < 0:
            raise ValueError(f"`seed` must not be negative, got {seed}.")
        self.source, self.size, self.seed = source, size, seed
        self.resize, self.augment = resize, augment
        self._unreadable: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, key: Key) -> Sample:
        pixels, labels, problems = self.batch([key])
        label = None if labels is None else int(labels[0])
        return Sample(pixels[0], label, " ".join(problems) or None)

    def batch(self, keys: Sequence[Key]) -> Batch:
        """The crops of these (epoch, index), in order.

        Raises:
            IndexError: an index beyond the source.
            PhotoError: no image of the source can be read.
        """
        epochs, indices = np.array(keys, np.int64).reshape(-1, 2).T
        if len(indices) and not 0 <= indices.min() <= indices.max() < len(self):
            raise IndexError(f"indices go from 0 to {len(self) - 1}, got {indices.tolist()}.")
        draws = random_numbers(self.seed, epochs, indices, 3)
        rows, problems = indices, []
        if (ready := self._ready()) is not None:
            crops = self._cut(ready[indices], draws)
        else:
            crops = np.empty((len(keys), 3, self.size, self.size), np.uint8)
            rows = indices.copy()
            for n, index in enumerate(indices.tolist()):
                rows[n], pixels, failed = self._next_readable(index)
                crops[n : n + 1] = self._cut(pixels.numpy()[None], draws[n : n + 1])
                problems += failed
        labels = self.source.labels
        return Batch(
            torch.from_numpy(crops),
            None if labels is None else torch.from_numpy(labels[rows]),
            problems,
        )

    __getitems__ = batch

    def _next_readable(self, index: int) -> tuple[int, Tensor, list[str]]:
        problems: list[str] = []
        for at in chain(range(index, len(self)), range(index)):
            if at not in self._unreadable:
                try:
                    return at, self._scaled(self.source.read(at)), problems
                except PhotoError as error:
                    self._unreadable[at] = str(error)
            problems.append(self._unreadable[at])
        raise PhotoError(f"none of {len(self)} images can be read; the first: {problems[0]}")

    def _scaled(self, pixels: Tensor) -> Tensor:
        if self.resize is not None:
            return scale_short_side(pixels, self.resize)
        return scale_short_side(pixels, max(self.size, min(pixels.shape[1:])))

    def _ready(self) -> np.ndarray | None:
        """The images, if all are in memory, have one size and need no scaling."""
        if not isinstance(self.source, MemorySource) or self.resize is not None:
            return None
        pixels = self.source.pixels.numpy()
        return pixels if min(pixels.shape[2:]) >= self.size else None

    def _cut(self, photos: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Crops (N, 3, S, S) of photos (N, 3, H, W); `draws` (N, 3) say where, and which flip."""
        size, augment = self.size, self.augment
        if augment and augment.pad:
            pads = [(0, 0), (0, 0), (augment.pad, augment.pad), (augment.pad, augment.pad)]
            photos = np.pad(photos, pads, mode="reflect" if augment.reflect else "constant")
        surplus = np.array(photos.shape[2:]) - size
        shares = (
            draws[:, :2] * (surplus + 1) if augment else np.ones((len(photos), 2)) * surplus / 2
        )
        crops = np.stack(
            [
                photo[:, top : top + size, left : left + size]
                for photo, (top, left) in zip(photos, shares.astype(int).tolist(), strict=True)
            ]
        )
        if augment and augment.flip:
            mirrored = draws[:, 2] < 0.5
            crops[mirrored] = crops[mirrored][..., ::-1]
        return crops


class EpochBatches(Sampler[list[Key]]):
    """This process's (epoch, index) keys for step `start`, `start` + 1, … without end.

    The stream chains the permutations of all epochs and cuts them into global batches; a batch may
    span the end of one epoch and the start of the next. Process `rank` takes the rank-th of
    `processes` equal slices of each batch, so that together they see the same batches as a single
    process.

    Raises:
        ValueError: no images, or a global batch that isn't a multiple of `processes`.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int = 0,
        *,
        start: int = 0,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        if length < 1 or batch_size < 1 or start < 0:
            raise ValueError(
                f"`length` and `batch_size` must be positive and `start` not negative, got "
                f"{length}, {batch_size} and {start}."
            )
        if batch_size % processes or not 0 <= rank < processes:
            raise ValueError(
                f"the batch size must be a multiple of the number of processes, and ranks count "
                f"from 0; got a batch of {batch_size}, process {rank} of {processes}."
            )
        self.length, self.batch_size, self.seed = length, batch_size, seed
        self.start, self.rank, self.processes = start, rank, processes

    def __iter__(self) -> Iterator[list[Key]]:
        share = self.batch_size // self.processes
        step = self.start
        while True:
            first = step * self.batch_size + self.rank * share
            positions = (divmod(position, self.length) for position in range(first, first + share))
            yield [
                (epoch, int(permutation(self.length, self.seed, epoch)[place]))
                for epoch, place in positions
            ]
            step += 1


@lru_cache(maxsize=4)
def permutation(length: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch sees the indices from 0 to length − 1."""
    indices = np.arange(length)
    keys = random_bits(seed, np.full(length, epoch), indices, 1)[:, 0]
    order: np.ndarray = np.argsort(keys, kind="stable")
    return order


def random_numbers(seed: int, epochs: np.ndarray, indices: np.ndarray, count: int) -> np.ndarray:
    """(N, count) numbers, uniform on [0, 1), each a pure function of (seed, epoch, index)."""
    bits = random_bits(seed, epochs, indices, count) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def random_bits(seed: int, epochs: np.ndarray, indices: np.ndarray, count: int) -> np.ndarray:
    """(N, count) uint64. A hash, because seeding a generator takes 20 µs."""
    bits = _mix(np.full((1, 1), seed % 2**64, np.uint64))
    bits = _mix(bits + epochs.astype(np.uint64)[:, None])
    bits = _mix(bits + indices.astype(np.uint64)[:, None])
    return _mix(bits + np.arange(count, dtype=np.uint64))


def _mix(bits: np.ndarray) -> np.ndarray:
    """A step of splitmix64 (Steele, Lea & Flood 2014): a bijection that scatters its input."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = bits ^ (bits >> np.uint64(31))
    return mixed
