from pathlib import Path

import pytest

from preimage.data.photo import embedded_photos
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


def test_an_empty_folder_goes_by_the_speed_of_a_convolution(
    tmp_path: Path, photos: PackedPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs_module, "_convolution_rate", lambda threads: 1e9 * threads)
    cells = GRID.cells()
    cost = estimate(cells, photos, Store(tmp_path), workers=2, threads=3)
    assert (cost.cells, cost.done, cost.jobs, cost.photos) == (8, 0, 4, 4)
    assert cost.flops == 4 * sum(flops(tuple(group), (32, 32)) for group in by_encoder(cells))
    assert cost.rate == 6e9
    assert cost.seconds == cost.flops / 6e9
    assert "2 workers, each as fast as one 3×3 convolution of width 64, just timed" in str(cost)


def test_a_folder_goes_by_the_speed_of_its_cells(tmp_path: Path, photos: PackedPhotos) -> None:
    store, cells = Store(tmp_path), GRID.cells()
    for cell, seconds in zip(cells, (1.0, 2.0, 100.0), strict=False):
        store.save(cell, photos, [{}] * 4, {"flops": 1000.0, "seconds": seconds})
    cost = estimate(cells, photos, store, workers=3, threads=1)
    assert (cost.cells, cost.done, cost.jobs) == (8, 3, 3)
    assert cost.rate == 3 * 500  # the median of 1000, 500 and 10 FLOP/s
    assert "3 workers, each as fast as its finished cells" in str(cost)


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


def test_a_convolution_is_timed_on_as_many_threads_as_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[int] = []
    monkeypatch.setattr(costs_module.torch, "set_num_threads", used.append)
    monkeypatch.setattr(costs_module.torch, "get_num_threads", lambda: 5)
    monkeypatch.setattr(costs_module, "SIZE", 8)
    times = iter([0.0, 1.0, 10.0, 13.0, 20.0, 21.0, 30.0, 31.0])
    monkeypatch.setattr(costs_module.time, "perf_counter", lambda: next(times))
    assert costs_module._convolution_rate(3) == 2 * 64 * 64 * 9 * 8**2  # in one second
    assert used == [3, 5]
