"""A sweep that loses its driver or its workers ends with the table of an unbroken one.

The driver is `preimage sweep` with one worker, whose jobs never end from width 4 on: when a test
strikes, six cells are done, two networks of width 2 and one of width 3, and no other ever will be.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import worker_jobs
from unchecked import unchecked
from waiting import LIMIT, has_ended, wait_for

from preimage.app.cli.main import main
from preimage.sweeps import run
from preimage.sweeps.engine import Backend

pytestmark = pytest.mark.slow
GRID = "sweep --layer conv1 --pooled --width 2 3 4 5 --head conv mean --networks 3 --size 32"
DRIVER = Path(__file__).parents[1] / "sweep_driver.py"


@contextmanager
def driver(out: Path) -> "Iterator[subprocess.Popen[str]]":
    """The driver, when its worker is in the first job of width 4."""
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), *GRID.split(), "--workers", "1", "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ARRIVALS": str(out / "arrivals")},
        start_new_session=True,  # a process group of its own, to send Ctrl-C to
    )
    try:
        wait_for("the first job of width 4", lambda: workers(out) or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


def workers(out: Path) -> list[int]:
    """Each that has begun a job of width 4."""
    return worker_jobs.arrivals(out / "arrivals")


def cells(out: Path) -> int:
    return len(list(out.glob("cells/*.json")))


def in_a_thread(patch: pytest.MonkeyPatch) -> None:
    """A thread in place of processes, for sweeps that nobody kills."""
    patch.setattr(run, "open_backend", lambda *_: Backend(ThreadPoolExecutor(1), 1))


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_thread(monkeypatch)


def finish(out: Path) -> bytes:
    """The table, after the same command once more."""
    with unchecked():
        assert main([*GRID.split(), "--out", str(out)]) == 0
    assert cells(out) == 24
    return (out / "table.csv").read_bytes()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of a sweep that nobody kills."""
    with pytest.MonkeyPatch.context() as patch:
        in_a_thread(patch)
        return finish(tmp_path_factory.mktemp("unbroken"))


@pytest.mark.usefixtures("threads")
def test_killed_driver(tmp_path: Path, unbroken: bytes) -> None:
    with driver(tmp_path / "killed") as process:
        process.kill()
        process.wait(LIMIT)
        (worker,) = workers(tmp_path / "killed")
        wait_for("the worker's end", lambda: has_ended(worker))
    assert cells(tmp_path / "killed") == 6
    assert finish(tmp_path / "killed") == unbroken


@pytest.mark.usefixtures("threads")
def test_killed_worker_and_ctrl_c(tmp_path: Path, unbroken: bytes) -> None:
    out = tmp_path / "interrupted"
    with driver(out) as process:
        (first,) = workers(out)
        os.kill(first, signal.SIGKILL)
        wait_for("another worker at the same job", lambda: len(workers(out)) == 2)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
        _, err = process.communicate(timeout=LIMIT)
        second = workers(out)[1]
        wait_for("the worker's end", lambda: has_ended(second))
    assert process.returncode == 130
    assert err.splitlines() == ["preimage: interrupted; the same command goes on from here."]
    assert cells(out) == 6
    assert finish(out) == unbroken
