"""The batches of a training: which crops its recipe asks for, and this process's share of them."""

import os
import signal
from collections.abc import Iterable
from typing import Any

from accelerate import Accelerator
from torch.utils.data import DataLoader

from preimage.data.crops import Augment, Batch, CropDataset, EpochBatches
from preimage.data.memory import MemorySource
from preimage.data.sources import ImageSource
from preimage.decoders.recipes import Recipe

_MOST_WORKERS = 8  # each keeps two batches ahead in memory


def crop_dataset(source: ImageSource, recipe: Recipe, seed: int) -> CropDataset:
    """The random crops that a recipe asks for."""
    augment = Augment(flip=recipe.flip, pad=recipe.shift)
    return CropDataset(source, recipe.crop, seed, resize=recipe.resize or None, augment=augment)


def load_batches(
    dataset: CropDataset,
    recipe: Recipe,
    start: int,
    accelerator: Accelerator,
    workers: int | None = None,
) -> Iterable[Batch]:
    """This process's share of every batch from step `start` on, without end.

    Args:
        workers: processes that read photos ahead; half of the cores if None, and no process at all
            for photos in memory.
    """
    sampler = EpochBatches(
        len(dataset),
        recipe.batch_size,
        dataset.seed,
        start=start,
        rank=accelerator.process_index,
        processes=accelerator.num_processes,
    )
    count = _workers(dataset.source) if workers is None else workers
    return DataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=count,
        collate_fn=_as_it_is,
        pin_memory=accelerator.device.type == "cuda",
        persistent_workers=count > 0,
        worker_init_fn=_leave_signals_to_parent,
    )


def _leave_signals_to_parent(worker: int) -> None:
    """Ctrl-C, and SIGTERM to a whole group, must not take the batch of a step being finished.

    A second SIGTERM ends the worker: torch sends one to those that do not end on their own.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.signal(number, signal.SIG_DFL))


def _workers(source: ImageSource) -> int:
    if isinstance(source, MemorySource):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(_MOST_WORKERS, max(1, (cores or 1) // 2))


def _as_it_is(batch: Any) -> Any:
    return batch  # `CropDataset` makes whole batches
