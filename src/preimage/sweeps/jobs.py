"""A job: the cells of one random network that share its CNN, computed together."""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch

from preimage.data.records import environment
from preimage.network.device import resolve_device
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import Size, feature_size, input_sizes, trace
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.reconstruction import Reconstruction
from preimage.sweeps.stages import split_head
from preimage.sweeps.store import Row

_SCORED_TOGETHER = 16  # photos; larger batches are no faster and take more memory


@dataclass(frozen=True)
class JobResult:
    """For each config one row per photo; and how they were computed (time, FLOPs, environment)."""

    rows: list[list[Row]]
    run: dict[str, Any]


def run_job(
    configs: tuple[ReconstructConfig, ...],
    photos: PackedPhotos,
    threads: int,
    on_result: Callable[[ReconstructConfig, Reconstruction], object] = lambda config, result: None,
) -> JobResult:
    """The scores of every photo under configs that share a CNN, as far as each of them goes.

    Photos go through the networks one at a time and are scored 16 at a time. Only scores are kept,
    so memory is needed for the feature maps of one photo.

    Args:
        on_result: called with each config and reconstruction, photo by photo.

    Raises:
        ValueError: an option does not fit, or a photo is too small.
    """
    torch.set_num_threads(threads)
    start, start_of_cores = time.perf_counter(), time.process_time()
    pair = RandomPair(*configs)
    rows: list[list[Row]] = [[] for _ in configs]
    for start_at in range(0, len(photos), _SCORED_TOGETHER):
        indices = range(start_at, min(start_at + _SCORED_TOGETHER, len(photos)))
        results = pair.each([photos.photo(index) for index in indices])
        for config, kept, of_config in zip(configs, rows, results, strict=True):
            for index, result in zip(indices, of_config, strict=True):
                on_result(config, result)
                kept.append(
                    {
                        "photo": photos.names[index],
                        "photo_sha256": photos.hashes[index],
                        **result.scores(),
                    }
                )
    run = {
        "seconds": round(time.perf_counter() - start, 3),
        "core_seconds": round(time.process_time() - start_of_cores, 3),
        "flops": total_flops(configs, photos.sizes),
        "cells": len(configs),
        "environment": environment(resolve_device(configs[0].device)),
    }
    return JobResult(rows, run)


def in_turn(
    jobs: Iterable[Sequence[ReconstructConfig]], size: Size
) -> list[tuple[ReconstructConfig, ...]]:
    """The jobs in an order that spends as much work on each kind of network, at any time.

    A sweep that is stopped then has a few wide networks and many narrow ones, and not the narrow
    ones alone. Jobs that differ in the number of their network are of one kind.

    Args:
        size: of a photo; work is counted on it, none where it is too small: such a job fails at
            once.
    """
    works: dict[Hashable, int] = {}
    spent: Counter[Hashable] = Counter()
    keyed = []
    for configs in map(tuple, jobs):
        kind = tuple(replace(config, network_number=0) for config in configs)
        if kind not in works:
            with suppress(ValueError):
                works[kind] = flops(configs, size)
        spent[kind] += works.setdefault(kind, 0)
        keyed.append((spent[kind], configs))
    return [configs for _, configs in sorted(keyed, key=lambda pair: pair[0])]


def total_flops(configs: tuple[ReconstructConfig, ...], sizes: Iterable[Size]) -> int:
    """`flops` of a job on photos of these sizes."""
    return sum(count * flops(configs, size) for size, count in Counter(sizes).items())


def flops(configs: tuple[ReconstructConfig, ...], size: Size) -> int:
    """Floating-point operations of a job per photo: two per product, padding and zeros included.

    The deepest CNN counts once, and so does the body that several heads share.

    Raises:
        ValueError: the photo is too small.
    """
    encoders = {config: config.encoder() for config in configs}
    deepest = max(encoders.values(), key=lambda encoder: len(encoder.operations))
    total = sum(step.multiply_adds for step in trace(deepest, *size))
    sizes = input_sizes(deepest, *size)
    bodies = set()
    for config, encoder in encoders.items():
        inside = feature_size(encoder, size)
        body, head = split_head(config.mirror())
        if (encoder, body.operations) not in bodies:
            bodies.add((encoder, body.operations))
            total += sum(step.multiply_adds for step in trace(body, *inside, sizes))
        known = input_sizes(
            replace(body, operations=body.operations + head.operations), *inside, sizes
        )
        first = known[head.operations[0].name]
        total += sum(step.multiply_adds for step in trace(head, *first, known))
    return 2 * total
