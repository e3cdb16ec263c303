"""The demo's work, in the worker processes of a sweep: networks, pictures of the first, limits."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from preimage.data.photo import Photo
from preimage.network.spec import ReconstructConfig
from preimage.paper.infinite_width import in_batches
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


@dataclass(frozen=True)
class _Limit(JobResult):
    scores: dict[str, Interval]


def compute(
    networks: Sequence[ReconstructConfig],
    limits: Sequence[ReconstructConfig],
    photos: Sequence[Photo],
    execution: Execution,
) -> Iterator[tuple[ReconstructConfig, Computed | dict[str, Interval]]]:
    """Networks, and limits of configs, as they finish; the limits are begun first.

    Args:
        limits: none of them a network's.

    Raises:
        RuntimeError: one could not be computed, as where its worker died three times.
    """
    packed = PackedPhotos.pack(photos)
    backend = open_backend(execution, networks[0].device)
    jobs = [*((config,) for config in limits), *(tuple(group) for group in by_encoder(networks))]
    run = partial(_run, limits=frozenset(limits))
    for outcome in execute(jobs, packed, backend, threads=execution.threads, run=run):
        result = outcome.result
        if result is None:
            raise RuntimeError(outcome.error)
        if isinstance(result, _Limit):
            yield outcome.configs[0], result.scores
            continue
        greys = result.greys if isinstance(result, _WithPictures) else {}
        for config, rows in zip(outcome.configs, result.rows, strict=True):
            yield config, Computed(rows, [*map(_picture, greys.get(config, ()), rows)])


def _run(
    configs: tuple[ReconstructConfig, ...],
    photos: PackedPhotos,
    threads: int,
    limits: Set[ReconstructConfig],
) -> JobResult:
    """As `run_job`, of the first network of a kind with pictures; or the limit of a config."""
    if configs[0] in limits:
        torch.set_num_threads(threads)
        opened = [photos.photo(index) for index in range(len(photos))]
        return _Limit([], {}, in_batches(configs[0], opened))
    if configs[0].network_number:
        return run_job(configs, photos, threads)
    greys: dict[ReconstructConfig, list[np.ndarray]] = {config: [] for config in configs}

    def keep(config: ReconstructConfig, result: Reconstruction) -> None:
        greys[config].append(result.grey.numpy())

    result = run_job(configs, photos, threads, keep)
    return _WithPictures(result.rows, result.run, greys)


def _picture(grey: np.ndarray, row: Mapping[str, Any]) -> Picture:
    return Picture(torch.from_numpy(grey), row["ssim"], row["pearson"], row["inverted"])
