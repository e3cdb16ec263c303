import re
from pathlib import Path

import pytest
import torch

from preimage.data.photo import embedded_photos
from preimage.data.records import environment
from preimage.sweeps import costs as costs_module
from preimage.sweeps.costs import estimate
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.jobs import flops
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Store
from preimage.sweeps.trials import by_encoder

GRID = SweepConfig(
    layer=("conv1",), pooled=True, width=(2, 3), head=("conv", "mean"), networks=2, size=32
)


@pytest.fixture(scope="module")
def photos() -> PackedPhotos:
    return PackedPhotos.pack(embedded_photos(32))


@pytest.fixture(autouse=True)
def known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process starts in 5 s, a convolution does 1 GFLOP/s, and any share may be measured."""
    monkeypatch.setattr(costs_module, "start_up", lambda: 5.0)
    monkeypatch.setattr(costs_module, "convolution_rate", lambda: 1e9)
    monkeypatch.setattr(costs_module, "_SHARE", 1.0)


class Timed:
    """A clock, and networks that move it: the first only warms up."""

    def __init__(self, *takes: tuple[float, float]) -> None:
        self.now, self.takes = 0.0, iter([(0.0, 0.0), *takes])

    def __call__(self) -> float:
        return self.now

    def network(self, *configs: object) -> "Timed":
        """Of a draw that takes so long, and then a photo."""
        drawing, self.seeing = next(self.takes)
        self.now += drawing
        return self

    def each(self, photos: list[object]) -> None:
        """Of one photo."""
        assert len(photos) == 1
        self.now += self.seeing


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Timed:
    clock = Timed((1.0, 2.0), (0.5, 100.0))
    monkeypatch.setattr(costs_module.time, "perf_counter", clock)
    monkeypatch.setattr(costs_module, "RandomPair", clock.network)
    return clock


def test_an_empty_folder_goes_by_one_network_of_each_kind(
    tmp_path: Path, photos: PackedPhotos, timed: Timed
) -> None:
    """Two networks each of widths 2 and 3, on four photos, by two workers."""
    cells = GRID.cells()
    cost = estimate(cells, photos, Store(tmp_path), workers=2, threads=1)
    assert (cost.cells, cost.done, cost.jobs, cost.photos) == (8, 0, 4, 4)
    assert cost.flops == 4 * sum(flops(tuple(group), (32, 32)) for group in by_encoder(cells))
    assert cost.seconds == 5 + 2 * ((1 + 4 * 2) + (0.5 + 4 * 100)) / 2
    assert cost.memory > 2 * 350e6
    said = (
        r"about 7 min, 7\d\d MB of memory, 34 kB on the disk \(2 workers, each as fast as one net"
    )
    assert re.search(said, str(cost))


def test_kinds_beyond_the_time_for_timing_are_as_fast_per_flop(
    tmp_path: Path, photos: PackedPhotos, timed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs_module, "_MEASURED_FOR", 2.5)
    cells = GRID.cells()
    small, large = (
        flops(tuple(c for c in cells if (c.width, c.network_number) == (width, 0)), (32, 32))
        for width in (2, 3)
    )
    cost = estimate(cells, photos, Store(tmp_path), workers=1, threads=1)
    assert cost.seconds == pytest.approx(5 + 2 * 9 * (1 + large / small))


def test_a_folder_goes_by_the_speed_of_its_cells(
    tmp_path: Path, photos: PackedPhotos, timed: Timed
) -> None:
    store, cells, here = Store(tmp_path), GRID.cells(), environment()
    for cell, seconds in zip(cells, (1.0, 2.0, 100.0), strict=False):
        run = {"flops": 1000.0, "seconds": seconds, "environment": here}
        store.save(cell, photos, [{}] * 4, run)
    cost = estimate(cells, photos, store, workers=3, threads=1)
    assert (cost.cells, cost.done, cost.jobs) == (8, 3, 3)
    # At the median of 1000, 500 and 10 FLOP/s, by three workers, behind their start.
    assert cost.seconds == pytest.approx(cost.flops / 500 / 3 + 5)
    assert "3 workers, each as fast as its finished cells" in str(cost)


def test_cells_of_a_gpu_tell_nothing_of_the_processor(
    tmp_path: Path, photos: PackedPhotos, timed: Timed
) -> None:
    cells, run = GRID.cells(), {"flops": 1e12, "seconds": 1.0}
    gpu = {**environment(), "device": "cuda"}
    Store(tmp_path).save(cells[0], photos, [{}] * 4, {**run, "environment": gpu})
    cost = estimate(cells, photos, Store(tmp_path), workers=1, threads=1)
    assert cost.done == 1
    assert "as fast as one network of each kind on one photo, just timed" in str(cost)


def test_the_disk_is_somewhat_more_than_cells_take(tmp_path: Path) -> None:
    photos = PackedPhotos.pack(embedded_photos(32) * 12)
    cells = GRID.cells()[:1]
    estimated = estimate(cells, photos, Store(tmp_path), 1, 1).disk
    rows = [
        {
            "photo": f"a_name_of_20_letters_{index}",
            "photo_sha256": sha256,
            "ssim": 0.10972718894481659,
            "pearson": -0.035961467772722244,
            "mse": 0.13778802752494812,
            "psnr": 8.607885360717773,
            "inverted": False,
        }
        for index, sha256 in enumerate(photos.hashes)
    ]
    Store(tmp_path).save(cells[0], photos, rows, {"seconds": 0.06, "flops": 482400, "cells": 2})
    (path,) = (tmp_path / "cells").iterdir()
    assert path.stat().st_size <= estimated <= 1.5 * path.stat().st_size


def test_real_networks_are_timed(tmp_path: Path, photos: PackedPhotos) -> None:
    """Within the loosest bounds: the number is the machine's."""
    cost = estimate(GRID.cells()[:2], photos, Store(tmp_path), workers=1, threads=1)
    assert 5 < cost.seconds < 3600
    assert torch.get_num_threads() >= 1
    nothing = estimate([], photos, Store(tmp_path), workers=1, threads=1)
    assert (nothing.seconds, nothing.memory) == (0, 0)


def test_measuring_ends_at_its_share(
    tmp_path: Path, photos: PackedPhotos, timed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first kind took 3 s, and all of the job 46 s at its speed: the share is passed."""
    monkeypatch.setattr(costs_module, "_SHARE", 0.05)
    cells = GRID.cells()
    small, large = (
        flops(tuple(c for c in cells if (c.width, c.network_number) == (width, 0)), (32, 32))
        for width in (2, 3)
    )
    cost = estimate(cells, photos, None, workers=1, threads=1)
    assert cost.seconds == pytest.approx(5 + 2 * 9 * (1 + large / small))
    assert cost.disk == 0


def test_a_job_that_is_hardly_larger_than_its_measurement_goes_by_a_convolution(
    photos: PackedPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs_module, "_SHARE", 0.05)
    monkeypatch.setattr(costs_module, "_ALWAYS", 0.0)
    monkeypatch.setattr(costs_module, "RandomPair", lambda *_: pytest.fail("measured"))
    cost = estimate(GRID.cells()[:2], photos, None, workers=2, threads=1)
    assert cost.seconds == pytest.approx(5 + cost.flops / 1e9 / 2)


def test_a_job_is_as_fast_as_finished_jobs_of_its_size(photos: PackedPhotos) -> None:
    finished = [(flop, flop / rate) for flop, rate in ((1e6, 1e6), (1e9, 1e9)) for _ in range(9)]
    assert costs_module._rate_near(2e6, finished) == pytest.approx(1e6)
    assert costs_module._rate_near(9e8, finished) == pytest.approx(1e9)
