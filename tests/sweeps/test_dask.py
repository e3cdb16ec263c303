"""The same cells through a Dask scheduler and two workers, each a process of its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from preimage.app.cli.main import main
from preimage.data.photo import embedded_photos
from preimage.sweeps import backends
from preimage.sweeps.grid import Execution, SweepConfig
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.run import run_sweep
from preimage.sweeps.store import Store
from preimage.sweeps.trials import run_trials

pytestmark = pytest.mark.slow
GRID = SweepConfig(
    layer=("conv1",), pooled=True, width=(2, 3), head=("conv", "mean"), networks=2, size=32
)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    pytest.importorskip("distributed")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    process = subprocess.Popen([*dask, *words], **quiet)  # type: ignore[call-overload]
    started = [process]
    try:
        address = next(
            found[0] for line in process.stderr if (found := re.search(r"tcp://[\d.:]+", line))
        )
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", address]
        words = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
        quiet["stderr"] = subprocess.DEVNULL
        started += [
            subprocess.Popen([*worker, *words], **quiet)  # type: ignore[call-overload]
            for _ in range(2)
        ]
        yield address
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_dask_gives_what_trials_give(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "_CONNECT_SECONDS", 300.0)  # however busy the machine is
    monkeypatch.setattr(backends, "_WORKER_SECONDS", 300.0)
    photos = PackedPhotos.pack(embedded_photos(32)[:2])
    cells = GRID.cells()
    results = run_sweep(cells, photos, Store(tmp_path), Execution(scheduler=scheduler), {})
    assert results.missing == 0
    for trial in run_trials(cells, [photos.photo(0), photos.photo(1)]):
        rows = results.rows[trial.config]
        assert [row["ssim"] for row in rows] == [r.ssim for r in trial.reconstructions]


def test_no_scheduler_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "_CONNECT_SECONDS", 0.5)
    words = ["--scheduler", "tcp://127.0.0.1:9", "--layer", "conv1", "--size", "32"]
    assert main(["sweep", *words, "--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "`scheduler` tcp://127.0.0.1:9: no scheduler with a worker answers there" in line
