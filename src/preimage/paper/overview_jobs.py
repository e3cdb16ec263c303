"""The demo's work, in the worker processes of a sweep: networks, pictures of the first, limits."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from preimage.data.photo import Photo
from preimage.network.spec import ReconstructConfig
from preimage.paper.infinite_width import infinite_width
from preimage.scores.statistics import Interval
from preimage.sweeps.backends import open_backend
from preimage.sweeps.engine import execute
from preimage.sweeps.grid import Execution
from preimage.sweeps.jobs import JobResult, run_job
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.reconstruction import Picture, Reconstruction
from preimage.sweeps.trials import by_encoder

Records = Sequence[Mapping[str, Any]]  # of each photo


@dataclass(frozen=True)
class Computed:
    """A network's scores, and its pictures if it is the first of its kind."""

    records: Records
    pictures: list[Picture]


@dataclass(frozen=True)
class _WithPictures(JobResult):
    """`greys` of each config and photo; arrays, since tensors would travel in shared memory."""

    greys: dict[ReconstructConfig, list[np.ndarray]] = field(default_factory=dict)


def compute(
    networks: Sequence[ReconstructConfig],
    limits: Sequence[ReconstructConfig],
    photos: Sequence[Photo],
    execution: Execution,
) -> Iterator[tuple[ReconstructConfig, Computed | dict[str, Interval]]]:
    """Networks as they finish, then the limits of configs, which are begun first.

    Raises:
        RuntimeError: a network could not be computed, as where its worker died three times.
        WorkerDied: the worker of a limit did.
    """
    packed = PackedPhotos.pack(photos)
    backend = open_backend(execution, networks[0].device)
    begun: dict[ReconstructConfig, Future[dict[str, Interval]]] = {
        config: backend.executor.submit(_limit, config, packed, execution.threads)
        for config in limits
    }
    jobs = [tuple(group) for group in by_encoder(networks)]
    threads = execution.threads
    for outcome in execute(jobs, packed, backend, threads=threads, run=_run):
        if outcome.result is None:
            raise RuntimeError(outcome.error)
        greys = outcome.result.greys if isinstance(outcome.result, _WithPictures) else {}
        for config, rows in zip(outcome.configs, outcome.result.rows, strict=True):
            yield config, Computed(rows, [*map(_picture, greys.get(config, ()), rows)])
    for config, future in begun.items():
        yield config, future.result()


def _run(configs: tuple[ReconstructConfig, ...], photos: PackedPhotos, threads: int) -> JobResult:
    """As `run_job`; of the first network of a kind with pictures."""
    if configs[0].network_number:
        return run_job(configs, photos, threads)
    greys: dict[ReconstructConfig, list[np.ndarray]] = {config: [] for config in configs}

    def keep(config: ReconstructConfig, result: Reconstruction) -> None:
        greys[config].append(result.grey.numpy())

    result = run_job(configs, photos, threads, keep)
    return _WithPictures(result.rows, result.run, greys)


def _picture(grey: np.ndarray, row: Mapping[str, Any]) -> Picture:
    return Picture(torch.from_numpy(grey), row["ssim"], row["pearson"], row["inverted"])


def _limit(config: ReconstructConfig, photos: PackedPhotos, threads: int) -> dict[str, Interval]:
    torch.set_num_threads(threads)
    return infinite_width(config, [photos.photo(index) for index in range(len(photos))])
