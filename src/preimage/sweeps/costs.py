"""What a sweep will cost, before it is run: cells, FLOPs, disk, memory, time on this machine."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from statistics import median

import torch

from preimage.data.cost import start_up, takes
from preimage.data.records import environment
from preimage.network.device import convolution_rate, resolve_device
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.enough_memory import group_bytes
from preimage.sweeps.jobs import flops, total_flops
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Store
from preimage.sweeps.trials import by_encoder

Group = tuple[ReconstructConfig, ...]

# Of a cell's file: a third more than rows of photos with names of 20 letters take.
_BYTES_PER_ROW = 420
_BYTES_PER_CELL = 2_600
# Measuring may take this share of what it measures, and always as many seconds as `_ALWAYS` says,
# but no more than `_MEASURED_FOR`; what is larger still is then as fast per FLOP as the last one.
_SHARE, _ALWAYS, _MEASURED_FOR = 0.05, 0.5, 3.0
_NEAREST = 9  # finished jobs that tell the speed of a job
_WORKER = 350e6  # bytes of a process that has imported torch, before its first network


@dataclass(frozen=True)
class Cost:
    """What the missing cells of a sweep will take.

    Attributes:
        cells: in all; `done` of them are finished.
        jobs: groups of missing cells that share a CNN.
        photos: per cell.
        flops: floating-point operations, padding and zeros included.
        disk, memory: bytes; the memory is that of all workers.
        seconds: by the clock, the start of the workers included.
        measured: where the time comes from.
    """

    cells: int
    done: int
    jobs: int
    photos: int
    flops: int
    disk: int
    memory: int
    seconds: float
    measured: str

    def __str__(self) -> str:
        return (
            f"{self.cells} cells ({self.done} done) on {self.photos} photos; {self.jobs} jobs to "
            f"do, each the cells of one network that share its CNN\n"
            f"{self.flops:.3g} FLOPs, counting the zeros of padding and unpooling\n"
            f"{takes(self)} ({self.measured})"
        )


def estimate(
    cells: Sequence[ReconstructConfig],
    photos: PackedPhotos,
    store: Store | None,
    workers: int,
    threads: int,
) -> Cost:
    """The cost of what the store lacks: by the speed of its finished cells, or of one of each kind.

    Cells that another platform or device finished say nothing of this one.

    Args:
        store: of the finished cells; None where there are none, and none are kept.

    Raises:
        ValueError: a photo is too small; or no such device.
    """
    missing = [c for c in cells if store is None or store.load(c, photos) is None]
    groups = [tuple(group) for group in by_encoder(missing, photos.sizes)]
    kinds = Counter(tuple(replace(c, network_number=0) for c in group) for group in groups)
    work = {kind: total_flops(kind, photos.sizes) for kind in kinds}
    finished = []
    if store and cells:
        here = environment(resolve_device(cells[0].device))
        finished = [(flop, time) for flop, time in store.rates(here) if time > 0]
    if finished:
        seconds = {kind: work[kind] / _rate_near(work[kind], finished) for kind in kinds}
    else:
        seconds = _timed(kinds, work, photos, threads)
    of_all = sum(seconds[kind] * count for kind, count in kinds.items()) / workers
    each = "its finished cells" if finished else "one network of each kind on one photo, just timed"
    largest = max((group_bytes(kind, size) for kind in kinds for size in photos.sizes), default=0)
    kept = _BYTES_PER_CELL + _BYTES_PER_ROW * len(photos) if store else 0
    return Cost(
        cells=len(cells),
        done=len(cells) - len(missing),
        jobs=len(groups),
        photos=len(photos),
        flops=sum(work[kind] * count for kind, count in kinds.items()),
        disk=len(missing) * kept,
        memory=round(workers * (_WORKER + largest)) if groups else 0,
        seconds=of_all + (start_up() if groups else 0),
        measured=f"{workers} workers, each as fast as {each}",
    )


def _rate_near(work: int | float, finished: Sequence[tuple[float, float]]) -> float:
    """FLOP per second of the finished jobs that are nearest in size: larger ones are faster."""
    near = sorted(finished, key=lambda job: abs(log(job[0] / work)))[:_NEAREST]
    return median(flop / seconds for flop, seconds in near)


def _timed(
    kinds: Mapping[Group, int], work: Mapping[Group, int], photos: PackedPhotos, threads: int
) -> dict[Group, float]:
    """Seconds that one worker takes for a job of each kind, the smallest timed first."""
    if not work or not len(photos):
        return dict.fromkeys(work, 0.0)
    photo, found = [photos.photo(0)], dict[Group, float]()
    ascending = sorted(work, key=lambda kind: work[kind])
    of_all = sum(work[kind] * count for kind, count in kinds.items())
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        rate = 1 / convolution_rate()  # seconds per FLOP
        first = flops(ascending[0], photos.sizes[0])
        if 2 * first * rate > max(_SHARE * of_all * rate, _ALWAYS):
            return {kind: work[kind] * rate for kind in kinds}
        RandomPair(*ascending[0]).each(photo)  # torch's own first time
        begun = time.perf_counter()
        for kind in ascending:
            most = min(max(_SHARE * of_all * rate, _ALWAYS), _MEASURED_FOR)
            if found and time.perf_counter() - begun > most:
                found[kind] = work[kind] * rate
                continue
            start = time.perf_counter()
            pair = RandomPair(*kind)
            drawn = time.perf_counter()
            pair.each(photo)
            seen = time.perf_counter() - drawn
            of_one = flops(kind, photos.sizes[0])
            found[kind] = drawn - start + seen * work[kind] / of_one
            rate = found[kind] / work[kind]
    finally:
        torch.set_num_threads(before)
    return found
