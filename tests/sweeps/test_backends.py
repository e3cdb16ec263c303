"""The same cells through a Dask scheduler and its worker, each a process of its own."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch
from waiting import LIMIT, wait_for

from preimage.app.cli.main import main
from preimage.data.photo import embedded_photos
from preimage.sweeps import backends
from preimage.sweeps.backends import num_workers, open_backend
from preimage.sweeps.grid import Execution, SweepConfig
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.run import run_sweep
from preimage.sweeps.store import Store
from preimage.sweeps.trials import run_trials

GRID = SweepConfig(
    layer=("conv1",), pooled=True, width=(2, 3), head=("conv", "mean"), networks=2, size=32
)


def start(stack: ExitStack, module: str, log: Path, *words: str) -> None:
    """One of Dask's programs, killed when the stack is left."""
    command = [sys.executable, "-m", f"distributed.cli.{module}", *words, "--no-dashboard"]
    file = stack.enter_context(log.open("w"))
    process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    stack.callback(process.wait)
    stack.callback(process.kill)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    log = folder / "scheduler"

    def address() -> str:
        found = re.search(r"tcp://[\d.]+:\d+$", log.read_text(), re.MULTILINE)
        return found[0] if found else ""

    with ExitStack() as stack:
        start(stack, "dask_scheduler", log, "--host", "127.0.0.1", "--port", "0")
        wait_for("the scheduler's address", address)
        words = (address(), "--nthreads", "1", "--no-nanny")
        start(stack, "dask_worker", folder / "worker", *words)
        yield address()


@pytest.mark.slow
def test_dask_gives_what_trials_give(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("_CONNECT_SECONDS", "_WORKER_SECONDS"):
        monkeypatch.setattr(backends, limit, LIMIT)
    photos = PackedPhotos.pack(embedded_photos(32)[:2])
    cells = GRID.cells()
    results = run_sweep(cells, photos, Store(tmp_path), Execution(scheduler=scheduler), {})
    assert results.missing == 0
    for trial in run_trials(cells, [photos.photo(0), photos.photo(1)]):
        rows = results.rows[trial.config]
        assert [row["ssim"] for row in rows] == [r.ssim for r in trial.reconstructions]


def test_no_scheduler_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "_CONNECT_SECONDS", 0.5)
    words = ["--layer", "conv1", "--size", "32", "--out", str(tmp_path)]
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        assert main(["sweep", "--scheduler", address, *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--scheduler {address}: no scheduler with a worker answers there" in line


def test_dask_is_asked_for_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ValueError, match=r"`scheduler` needs Dask: pip install 'preimage\[cluster"):
        open_backend(Execution(scheduler="tcp://127.0.0.1:1"), "cpu")


def test_workers_fit_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "num_cores", lambda: 8)
    assert num_workers(Execution(), "cpu") == 8
    assert num_workers(Execution(threads=3), "cpu") == 2
    assert num_workers(Execution(threads=9), "cpu") == 1
    assert num_workers(Execution(workers=5, threads=9), "cpu") == 5
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert num_workers(Execution(), "auto") == 1
    assert num_workers(Execution(), "cpu") == 8
    backend = open_backend(Execution(workers=3), "cpu")
    assert backend.in_flight == 3
    backend.executor.shutdown()
