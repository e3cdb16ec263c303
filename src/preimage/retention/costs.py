"""What a retention will take: pairs of pixels counted, their time measured on this machine."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from preimage.network.architectures import vgg16
from preimage.network.description import Description
from preimage.network.limit.cross import corner_range, tile_kernel, tile_maps
from preimage.network.limit.pairs import PairRecursion, pair_recursion
from preimage.network.limit.tiles import Tiles
from preimage.network.operations import Conv
from preimage.network.trace import Size, feature_size
from preimage.retention.drawn import split_at_pool
from preimage.retention.grams import row_file, row_jobs
from preimage.retention.kernel_ridge import RIDGES
from preimage.retention.layer import KernelOptions, Layer, kernel_key, place_layer

_PROCESS = 400_000_000  # bytes of a process that has imported torch


@dataclass(frozen=True)
class LayerCost:
    """One layer: what is left to compute of it.

    Args:
        positions: to fit to and to predict.
        evaluations: of h.
        memory, disk: bytes.
    """

    layer: str
    positions: tuple[int, int]
    evaluations: float
    seconds: float
    memory: int
    disk: int


def retention_cost(
    description: Description,
    layers: Sequence[str],
    training: UInt8[Tensor, "N D H W"],
    scored: UInt8[Tensor, "M D H W"],
    draws: int,
    options: KernelOptions,
) -> list[LayerCost]:
    """The cost of each layer, without the rows of its kernel that are kept already.

    Raises:
        ValueError: a layer has no kernel, or the photos are too few.
    """
    rate, solving = _seconds_per_evaluation(options), _seconds_per_cube()
    threads = options.threads or os.cpu_count() or 1
    size: Size = (training.shape[2], training.shape[3])
    costs = []
    for name in layers:
        encoder = description.cut(name)
        layer = place_layer(encoder, size, (len(training), len(scored)), options)
        drawn, rest = split_at_pool(encoder, 1)
        maps = feature_size(drawn, size) if drawn else size
        corners = corner_range(layer.training, layer.held_out)
        recursion = pair_recursion(rest, maps, layer.training.size, options.window, corners)
        keys = (
            kernel_key(encoder, layer, (training, scored), options, draw)
            for draw in range(draws if drawn else 1)
        )
        pairs = sum(_pairs_left(layer, key, options) for key in keys)
        evaluations = float(evaluations_per_pair(recursion) * pairs)
        positions = layer.positions
        solves = (0.8**3 + 0.4**3 + 0.2**3) * len(RIDGES) + 2
        if layer.landmark_tiles:
            solves *= 2  # with half of the landmarks, too
        seconds = evaluations * rate / threads + positions[0] ** 3 * solves * solving
        memory = _PROCESS + 8 * positions[0] * (4 * positions[0] + 2 * positions[1])
        disk = pairs * (positions[0] // len(layer.training)) ** 2 * options.dtype.itemsize
        costs.append(LayerCost(name, positions, evaluations, seconds, memory, disk))
    return costs


def _pairs_left(layer: Layer, key: Mapping[str, Any], options: KernelOptions) -> int:
    """Pairs of tiles whose kernel no file has."""
    fitted, pairs = len(layer.training), 0
    columns = layer.landmark_tiles or fitted
    for job in row_jobs(fitted, len(layer.held_out), layer.landmark_tiles):
        kind, start, stop = job
        path = row_file(key, job, options.folder)
        if path is None or not path.exists():
            mirrored = kind == "training" and start < columns  # half of them is computed
            pairs += sum(columns - (tile if mirrored else 0) for tile in range(start, stop))
    return pairs


def evaluations_per_pair(recursion: PairRecursion) -> int:
    """Pairs of pixels that the convolutions of a layer give, for one pair of tiles."""
    total = 0
    for step in recursion.between:
        if isinstance(step.op, Conv):
            rows, columns = (
                sum(high - low for low, high in axis.given.values())
                for axis in (step.rows, step.columns)
            )
            total += rows * columns
    return total


def _seconds_per_evaluation(options: KernelOptions) -> float:
    """Of one thread, timed on a few tiles of VGG16's Conv2."""
    encoder = vgg16().with_pool("avg").with_activation(0.2).cut("conv2")
    recursion = pair_recursion(encoder, (32, 32), (2, 2))
    tiles = Tiles(
        torch.zeros(256, dtype=torch.int64), torch.zeros(256, 2, dtype=torch.int64), (2, 2)
    )
    maps = tile_maps(recursion, torch.rand(1, 3, 32, 32, dtype=options.dtype), tiles)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        tile_kernel(recursion, maps[:1], maps)
        start = time.perf_counter()
        tile_kernel(recursion, maps[:1], maps)
        seconds = time.perf_counter() - start
    finally:
        torch.set_num_threads(before)
    return seconds / len(maps) / evaluations_per_pair(recursion)


def _seconds_per_cube(side: int = 768) -> float:
    """Of one factorisation of a Gram matrix, over the cube of its side."""
    gram = torch.eye(side, dtype=torch.float64).add_(1e-3)
    torch.linalg.cholesky(gram)
    start = time.perf_counter()
    torch.linalg.cholesky(gram)
    return (time.perf_counter() - start) / side**3
