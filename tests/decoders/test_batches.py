"""The batches of a training: what the recipe asks for, from any step on, on any processes."""

import os
from itertools import islice
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from preimage.data.crops import Batch
from preimage.data.memory import MemorySource
from preimage.decoders import batches as module
from preimage.decoders.batches import crop_dataset, load_batches
from preimage.decoders.recipes import Recipe

RECIPE = Recipe(steps=9, batch_size=4, crop=6, flip=True, shift=2)


@pytest.fixture
def source() -> MemorySource:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (7, 3, 8, 8), generator=generator, dtype=torch.uint8)
    return MemorySource(pixels, [str(i) for i in range(7)], "none", np.arange(7))


def take(
    source: MemorySource,
    start: int,
    count: int,
    rank: int = 0,
    processes: int = 1,
    workers: int | None = None,
) -> list[Batch]:
    machine = SimpleNamespace(
        process_index=rank, num_processes=processes, device=torch.device("cpu")
    )
    dataset = crop_dataset(source, RECIPE, seed=3)
    loader = load_batches(dataset, RECIPE, start, cast(Accelerator, machine), workers)
    return list(islice(loader, count))


def same(a: list[Batch], b: list[Batch]) -> bool:
    return all(
        torch.equal(x.pixels, y.pixels) and torch.equal(x.labels, y.labels)
        for x, y in zip(a, b, strict=True)
    )


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a single core
@pytest.mark.usefixtures("no_hint_checks")
def test_a_run_goes_on_with_the_batch_it_stopped_at(source: MemorySource) -> None:
    whole = take(source, 0, 6)
    assert same(take(source, 4, 2), whole[4:])
    assert same(take(source, 0, 6, workers=2), whole)


@pytest.mark.usefixtures("no_hint_checks")
def test_processes_share_every_batch(source: MemorySource) -> None:
    whole = take(source, 0, 5)
    parts = [take(source, 0, 5, rank, processes=2) for rank in range(2)]
    joined = [
        Batch(torch.cat([a.pixels, b.pixels]), torch.cat([a.labels, b.labels]), [])
        for a, b in zip(*parts, strict=True)
    ]
    assert same(joined, whole)


@pytest.mark.usefixtures("no_hint_checks")
def test_every_epoch_sees_every_photo_once(source: MemorySource) -> None:
    labels = torch.cat([batch.labels for batch in take(source, 0, 7)]).tolist()
    assert all(sorted(labels[i : i + 7]) == list(range(7)) for i in range(0, 28, 7))


def test_the_recipe_decides_the_crops(source: MemorySource) -> None:
    dataset = crop_dataset(source, RECIPE, seed=3)
    assert (dataset.size, dataset.resize, dataset.seed) == (6, None, 3)
    assert dataset.augment is not None
    assert (dataset.augment.flip, dataset.augment.pad, dataset.augment.reflect) == (True, 2, False)
    assert crop_dataset(source, RECIPE.changed(resize=7), 0).resize == 7


@pytest.mark.usefixtures("no_hint_checks")
@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 1), (8, 4), (64, 8)])
def test_half_of_the_cores_read_photos(
    cores: int, expected: int, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert module._workers(source) == 0  # in memory already
    assert module._workers(cast(MemorySource, SimpleNamespace())) == expected
