"""What a sweep will cost, before it is run: cells, FLOPs, disk, memory, time on this machine."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import torch

from preimage.data.tables import duration
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.enough_memory import group_bytes
from preimage.sweeps.jobs import flops
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Store
from preimage.sweeps.trials import by_encoder

Group = tuple[ReconstructConfig, ...]

# Of a cell's file: a third more than rows of photos with names of 20 letters take.
_BYTES_PER_ROW = 420
_BYTES_PER_CELL = 2_600
_MEASURED_FOR = 10.0  # seconds; larger networks are then as fast per FLOP as the last one
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
            f"{self.flops:.3g} FLOPs, counting the zeros of padding and unpooling; "
            f"{self.disk / 1e6:.1f} MB of disk, about {self.memory / 1e9:.1f} GB of memory\n"
            f"about {duration(self.seconds)} ({self.measured})"
        )


def estimate(
    cells: Sequence[ReconstructConfig],
    photos: PackedPhotos,
    store: Store,
    workers: int,
    threads: int,
) -> Cost:
    """The cost of what the store lacks: by the speed of its finished cells, or of one of each kind.

    Raises:
        ValueError: a photo is too small.
    """
    missing = [config for config in cells if store.load(config, photos) is None]
    groups = [tuple(group) for group in by_encoder(missing, photos.sizes)]
    kinds: dict[Group, int] = {}
    for group in groups:
        kind = tuple(replace(config, network_number=0) for config in group)
        kinds[kind] = kinds.get(kind, 0) + 1
    work = {kind: sum(flops(kind, size) for size in photos.sizes) for kind in kinds}
    finished = [flop / seconds for flop, seconds in store.rates() if seconds > 0]
    if finished:
        seconds = {kind: work[kind] / median(finished) for kind in kinds}
    else:
        seconds = _timed(work, photos, threads)
    of_all = sum(seconds[kind] * count for kind, count in kinds.items()) / workers
    each = "its finished cells" if finished else "one network of each kind on one photo, just timed"
    largest = max((group_bytes(kind, size) for kind in kinds for size in photos.sizes), default=0)
    return Cost(
        cells=len(cells),
        done=len(cells) - len(missing),
        jobs=len(groups),
        photos=len(photos),
        flops=sum(work[kind] * count for kind, count in kinds.items()),
        disk=len(missing) * (_BYTES_PER_CELL + _BYTES_PER_ROW * len(photos)),
        memory=round(workers * (_WORKER + largest)) if groups else 0,
        seconds=of_all + (_start() if groups else 0),
        measured=f"{workers} workers, each as fast as {each}",
    )


def _timed(work: dict[Group, int], photos: PackedPhotos, threads: int) -> dict[Group, float]:
    """Seconds that one worker takes for a job of each kind, the smallest timed first."""
    if not work or not len(photos):
        return dict.fromkeys(work, 0.0)
    photo, found = [photos.photo(0)], dict[Group, float]()
    ascending = sorted(work, key=lambda kind: work[kind])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        RandomPair(*ascending[0]).each(photo)  # torch's own first time
        begun = time.perf_counter()
        rate = 0.0  # seconds per FLOP
        for kind in ascending:
            if time.perf_counter() - begun > _MEASURED_FOR:
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


def _start() -> float:
    """Seconds until a worker has imported what it needs, on this machine."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import preimage.sweeps.jobs"], check=True)
    return time.perf_counter() - start
