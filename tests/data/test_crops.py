"""Crops and their order: functions of (seed, epoch, index) alone."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_files import BAD, picture
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from preimage.data.archives import PhotoError
from preimage.data.crops import (
    Augment,
    Batch,
    CropDataset,
    EpochBatches,
    permutation,
    random_numbers,
)
from preimage.data.memory import MemorySource, read_squares
from preimage.data.sources import ImageSource, open_images


def memory(count: int, height: int, width: int, seed: int = 0) -> MemorySource:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3, height, width), dtype=np.uint8)
    names = [str(i) for i in range(count)]
    labels = np.arange(count) % 3
    return MemorySource(torch.from_numpy(pixels), names, "", labels, ("a", "b", "c"))


class Plain(ImageSource):
    """The images of another source, one by one."""

    def __init__(self, source: ImageSource, bad: tuple[int, ...] = ()) -> None:
        self.source, self.bad = source, bad
        self.labels, self.fingerprint = source.labels, source.fingerprint

    def __len__(self) -> int:
        return len(self.source)

    def name(self, index: int) -> str:
        return self.source.name(index)

    def read(self, index: int) -> Tensor:
        if index in self.bad:
            raise PhotoError(f"{index}: broken.")
        return self.source.read(index)


def naive_crop(photo: np.ndarray, size: int, draw: np.ndarray, augment: Augment) -> np.ndarray:
    height, width = photo.shape[1:]

    def at(i: int, j: int) -> np.ndarray:
        if augment.reflect:
            i, j = abs(i), abs(j)
            i, j = min(i, 2 * height - 2 - i), min(j, 2 * width - 2 - j)
        inside = 0 <= i < height and 0 <= j < width
        return photo[:, i, j] if inside else np.zeros(3, np.uint8)

    pad = augment.pad
    top = int(draw[0] * (height + 2 * pad - size + 1)) - pad
    left = int(draw[1] * (width + 2 * pad - size + 1)) - pad
    columns = range(size)[::-1] if augment.flip and draw[2] < 0.5 else range(size)
    return np.stack(
        [np.stack([at(top + i, left + j) for j in columns], -1) for i in range(size)], 1
    )


@settings(max_examples=30)
@given(st.integers(0, 3), st.booleans(), st.booleans(), st.integers(4, 6), st.integers(0, 99))
def test_crops_equal_the_naive_ones(
    pad: int, reflect: bool, flip: bool, size: int, seed: int
) -> None:
    augment = Augment(flip, pad, reflect)
    source = memory(4, 6, 9)
    keys = [(0, 3), (5, 0), (5, 3), (2**40, 1)]
    batch = CropDataset(source, size, seed, augment=augment).batch(keys)
    draws = random_numbers(seed, *np.array(keys).T, 3)
    for crop, (_, index), draw in zip(batch.pixels, keys, draws, strict=True):
        expected = naive_crop(source.read(index).numpy(), size, draw, augment)
        np.testing.assert_array_equal(crop, expected)
    assert batch.labels is not None
    assert batch.labels.tolist() == [0, 0, 0, 1]
    one_by_one = CropDataset(Plain(source), size, seed, augment=augment)
    assert torch.equal(one_by_one.batch(keys).pixels, batch.pixels)
    for n, key in enumerate(keys):
        sample = one_by_one[key]
        assert torch.equal(sample.pixels, batch.pixels[n])
        assert (sample.label, sample.problem) == (int(batch.labels[n]), None)


def test_every_place_and_both_sides_come_up() -> None:
    source = memory(1, 4, 5)
    dataset = CropDataset(source, 3, augment=Augment(flip=True))
    seen = {dataset[epoch, 0].pixels.numpy().tobytes() for epoch in range(300)}
    assert len(seen) == 2 * 3 * 2


def test_random_numbers_are_uniform_and_independent() -> None:
    index = np.arange(20_000)
    draws = random_numbers(0, np.zeros_like(index), index, 3)
    assert draws.min() >= 0
    assert draws.max() < 1
    stderr = (1 / 12 / len(index)) ** 0.5
    assert (abs(draws.mean(0) - 0.5) < 4 * stderr).all()
    others = [random_numbers(1, 0 * index, index, 1), random_numbers(0, 0 * index + 1, index, 1)]
    columns = np.hstack([draws, *others])
    correlation = np.corrcoef(columns.T) - np.eye(5)
    assert abs(correlation).max() < 4 / len(index) ** 0.5


def test_photos_are_scaled_by_their_short_side(tmp_path: Path) -> None:
    picture(0, width=40, height=30).save(tmp_path / "a.png")
    picture(1, width=5, height=8).save(tmp_path / "b.png")
    source = open_images(tmp_path)
    plain = CropDataset(source, 10)
    np.testing.assert_array_equal(plain[0, 0].pixels, source.read(0)[:, 10:20, 15:25])
    image = picture(1, width=5, height=8)
    enlarged = image.resize((10, 16), Image.Resampling.LANCZOS).crop((0, 3, 10, 13))
    np.testing.assert_array_equal(plain[0, 1].pixels.permute(1, 2, 0), np.asarray(enlarged))
    scaled = CropDataset(source, 10, resize=12)[0, 0].pixels.permute(1, 2, 0)
    image = picture(0, width=40, height=30).resize((16, 12), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(scaled, np.asarray(image.crop((3, 1, 13, 11))))
    small = CropDataset(memory(2, 4, 4), 10)
    assert small.batch([(0, 0), (0, 1)]).pixels.shape == (2, 3, 10, 10)


def test_what_cannot_be_read_is_replaced_and_named(folder: Path) -> None:
    for name, data in BAD.items():
        (folder / name).write_bytes(data)
    source = open_images(folder, labelled=True)
    assert source.labels is not None
    dataset = CropDataset(source, 4, augment=Augment(flip=True))
    names = source.names
    for epoch in range(2):
        batch = dataset.batch([(epoch, i) for i in range(len(source))])
        assert [problem.split(": ")[0] for problem in batch.problems] == [
            str(folder / name) for name in names if name in BAD
        ]
    stands_in = {
        "été/broken.jpg": "猫/below/c.png",
        "猫/empty.png": "猫/one.png",
        "猫/text.jpg": "été/a.png",
    }
    assert batch.labels is not None
    for bad, good in stands_in.items():
        at, by = names.index(bad), names.index(good)
        assert int(batch.labels[at]) == source.labels[by]
    sample = dataset[0, names.index("猫/text.jpg")]
    assert sample.problem is not None
    assert "not an image that Pillow can read" in sample.problem


def test_a_source_of_nothing_readable_is_an_error(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.jpg").write_bytes(b"no image")
    source = open_images(tmp_path)
    with pytest.raises(PhotoError, match=r"none of 3 images can be read; the first: .*1\.jpg"):
        CropDataset(source, 4)[0, 1]
    with pytest.raises(PhotoError, match=r"none of 3 images can be read; the first: .*0\.jpg"):
        read_squares(source, 4)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a single core
@pytest.mark.parametrize("workers", [0, 2])
def test_loading_in_processes_gives_the_same_bits(folder: Path, workers: int) -> None:
    (folder / "bad.png").write_bytes(b"")
    dataset = CropDataset(open_images(folder), 4, seed=3, augment=Augment(flip=True, pad=1))
    keys = list(islice(EpochBatches(len(dataset), 4, seed=3), 6))
    loader = DataLoader(
        dataset, batch_sampler=keys, num_workers=workers, collate_fn=lambda batch: batch
    )
    problems = set()
    for batch, expected in zip(loader, map(dataset.batch, keys), strict=True):
        assert isinstance(batch, Batch)
        assert torch.equal(batch.pixels, expected.pixels)
        assert batch.labels is None
        problems.update(batch.problems)
    assert len(problems) == 1


def test_crops_are_checked() -> None:
    source = memory(2, 4, 4)
    with pytest.raises(ValueError, match="`resize` no smaller, got 4 and 3"):
        CropDataset(source, 4, resize=3)
    with pytest.raises(ValueError, match="`pad` must not be negative"):
        Augment(pad=-1)
    with pytest.raises(ValueError, match="`seed` must not be negative"):
        CropDataset(source, 4, seed=-1)
    with pytest.raises(IndexError, match=r"from 0 to 1, got \[2\]"):
        CropDataset(source, 4)[0, 2]


@given(
    st.integers(1, 13), st.integers(1, 4), st.integers(1, 4), st.integers(0, 9), st.integers(0, 2)
)
def test_ranks_share_the_batches_of_one_process(
    length: int, share: int, processes: int, start: int, seed: int
) -> None:
    size = share * processes
    alone = list(islice(EpochBatches(length, size, seed), start + 5))
    ranks = [
        list(islice(EpochBatches(length, size, seed, start=start, rank=r, processes=processes), 5))
        for r in range(processes)
    ]
    together = [[key for part in parts for key in part] for parts in zip(*ranks, strict=True)]
    assert together == alone[start:]
    stream = [key for batch in alone for key in batch]
    for epoch in range(len(stream) // length):
        of_epoch = stream[epoch * length : (epoch + 1) * length]
        assert {e for e, _ in of_epoch} == {epoch}
        assert sorted(i for _, i in of_epoch) == list(range(length))


def test_permutations_differ_and_are_uniform() -> None:
    assert not np.array_equal(permutation(50, 0, 0), permutation(50, 0, 1))
    assert not np.array_equal(permutation(50, 0, 0), permutation(50, 1, 0))
    counts = np.zeros((4, 4))
    for epoch in range(4000):
        counts[np.arange(4), permutation(4, 7, epoch)] += 1
    assert abs(counts - 1000).max() < 4 * (4000 * 3 / 16) ** 0.5


def test_batches_are_checked() -> None:
    with pytest.raises(ValueError, match="multiple of the number of processes"):
        EpochBatches(10, 5, processes=2)
    with pytest.raises(ValueError, match="ranks count from 0"):
        EpochBatches(10, 4, rank=2, processes=2)
    with pytest.raises(ValueError, match="`length` and `batch_size` must be positive"):
        EpochBatches(0, 4)
