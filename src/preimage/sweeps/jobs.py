"""One job: all cells of one random network that share its CNN."""

import time
from dataclasses import dataclass, replace
from typing import Any

import torch

from preimage.config import ReconstructConfig
from preimage.reconstruction import RandomPair, resolve_device, split_head
from preimage.results import environment
from preimage.shapes import Size, input_sizes, trace
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Row

#: What is kept of a reconstruction.
METRICS = ("ssim", "pearson", "mse", "psnr", "inverted")


@dataclass(frozen=True)
class JobResult:
    """A row a photo for each config, and how they came about."""

    rows: list[list[Row]]
    run: dict[str, Any]


def run_job(
    configs: tuple[ReconstructConfig, ...], photos: PackedPhotos, threads: int
) -> JobResult:
    """The scores of every photo by configs that differ only behind the CNN.

    Photos pass one by one, and only scores are kept: the memory is that of one photo.

    Raises:
        ValueError: a word does not fit, or a photo is too small.
    """
    torch.set_num_threads(threads)
    start = time.perf_counter()
    pair = RandomPair(*configs)
    rows: list[list[Row]] = [[] for _ in configs]
    for index in range(len(photos)):
        for kept, result in zip(rows, pair.all(photos.photo(index)), strict=True):
            record = result.record()
            kept.append(
                {
                    "photo": photos.names[index],
                    "photo_sha256": photos.hashes[index],
                    **{name: record[name] for name in METRICS},
                }
            )
    run = {
        "seconds": round(time.perf_counter() - start, 3),
        "flops": sum(flops(configs, size) for size in photos.sizes),
        "cells": len(configs),
        "environment": environment(resolve_device(configs[0].device)),
    }
    return JobResult(rows, run)


def flops(configs: tuple[ReconstructConfig, ...], size: Size) -> int:
    """Floating-point operations of a job for one photo: two a product, padding and zeros included.

    The CNN counts once, and so does what several heads share.

    Raises:
        ValueError: the photo is too small.
    """
    encoder = configs[0].encoder()
    steps = trace(encoder, *size)
    total = sum(step.multiply_adds for step in steps)
    sizes = input_sizes(encoder, *size)
    inside = (steps[-1].height, steps[-1].width)
    bodies = set()
    for config in configs:
        body, head = split_head(config.mirror())
        if body.operations not in bodies:
            bodies.add(body.operations)
            total += sum(step.multiply_adds for step in trace(body, *inside, sizes))
        known = input_sizes(
            replace(body, operations=body.operations + head.operations), *inside, sizes
        )
        first = known[head.operations[0].name]
        total += sum(step.multiply_adds for step in trace(head, *first, known))
    return 2 * total
