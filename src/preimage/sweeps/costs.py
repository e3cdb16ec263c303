"""What a sweep will cost, before it is run: cells, FLOPs, disk, hours."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
import torch.nn.functional as F

from preimage.data.photo import SIZE
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.jobs import flops
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Store
from preimage.sweeps.trials import by_encoder

# Of a cell's file: a third more than rows of photos with names of 20 letters take.
_BYTES_PER_ROW = 420
_BYTES_PER_CELL = 2_600


@dataclass(frozen=True)
class Cost:
    """What the missing cells of a sweep will take.

    Attributes:
        cells: in all; `done` of them are finished.
        jobs: groups of missing cells that share a CNN.
        photos: per cell.
        flops: floating-point operations, padding and zeros included.
        disk: bytes.
        rate: FLOP/s of all workers together; `measured` says where it comes from.
    """

    cells: int
    done: int
    jobs: int
    photos: int
    flops: int
    disk: int
    seconds: float
    rate: float
    measured: str

    def __str__(self) -> str:
        return (
            f"{self.cells} cells ({self.done} done) on {self.photos} photos; {self.jobs} jobs to "
            f"do, each the cells of one network that share its CNN\n"
            f"{self.flops:.3g} FLOPs, counting the zeros of padding and unpooling; "
            f"{self.disk / 1e6:.1f} MB of disk\n"
            f"about {self.seconds / 3600:.2g} hours at {self.rate / 1e9:.0f} GFLOP/s in all "
            f"({self.measured})"
        )


def estimate(
    cells: Sequence[ReconstructConfig],
    photos: PackedPhotos,
    store: Store,
    workers: int,
    threads: int,
) -> Cost:
    """The cost of what the store lacks, at the speed of its finished cells or a timed convolution.

    Raises:
        ValueError: a photo is too small.
    """
    missing = [config for config in cells if store.load(config, photos) is None]
    groups = [tuple(group) for group in by_encoder(missing, photos.sizes)]
    work = 0
    for group in groups:
        by_size = {size: flops(group, size) for size in set(photos.sizes)}
        work += sum(by_size[size] for size in photos.sizes)
    finished = [flop / seconds for flop, seconds in store.rates() if seconds > 0]
    rate = (median(finished) if finished else _convolution_rate(threads)) * workers
    return Cost(
        cells=len(cells),
        done=len(cells) - len(missing),
        jobs=len(groups),
        photos=len(photos),
        flops=work,
        disk=len(missing) * (_BYTES_PER_CELL + _BYTES_PER_ROW * len(photos)),
        seconds=work / rate,
        rate=rate,
        measured=f"{workers} workers, each as fast as "
        + ("its finished cells" if finished else "one 3×3 convolution of width 64, just timed"),
    )


def _convolution_rate(threads: int) -> float:
    """FLOP/s of one worker on this machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        x = torch.ones(1, 64, SIZE, SIZE).contiguous(memory_format=torch.channels_last)
        weight = torch.ones(64, 64, 3, 3).contiguous(memory_format=torch.channels_last)
        seconds = []
        for _ in range(4):
            start = time.perf_counter()
            F.conv2d(x, weight, padding=1)
            seconds.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    return 2 * 64 * 64 * 9 * SIZE**2 / median(seconds)
