"""A sweep that loses its driver or its workers ends with the table of an unbroken one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
GRID = "sweep --layer conv1 --pooled --width 2 3 4 5 --head conv mean --networks 3 --size 48"


def start(out: Path) -> "subprocess.Popen[str]":
    words = [*GRID.split(), "--workers", "1", "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "preimage", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def workers(driver: int) -> list[int]:
    """Its worker processes, without the helper that Python starts beside them."""
    words = ["ps", "-o", "pid=,args=", "--ppid", str(driver)]
    listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "spawn_main" in line]


def wait_for_cells(out: Path, number: int, process: "subprocess.Popen[str]") -> None:
    while len(list(out.glob("cells/*.json"))) < number and process.poll() is None:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("unbroken")
    process = start(out)
    process.communicate(timeout=600)
    assert process.returncode == 0
    return (out / "table.csv").read_bytes()


def test_killed_driver(unbroken: bytes, tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for_cells(tmp_path, random.Random(0).randint(2, 20), process)
    left = workers(process.pid)
    process.kill()
    process.communicate()
    end = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in left):
        assert time.monotonic() < end, "workers outlive their driver"
        time.sleep(0.1)
    again = start(tmp_path)
    again.communicate(timeout=600)
    assert again.returncode == 0
    assert (tmp_path / "table.csv").read_bytes() == unbroken


def test_killed_worker_and_ctrl_c(unbroken: bytes, tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for_cells(tmp_path, 4, process)
    for worker in workers(process.pid):
        os.kill(worker, signal.SIGKILL)
    wait_for_cells(tmp_path, 12, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    if process.returncode:  # it may have been quicker
        assert process.returncode == 130
        assert err.splitlines() == ["preimage: interrupted."]
        assert 12 <= len(list(tmp_path.glob("cells/*.json"))) < 24
        again = start(tmp_path)
        again.communicate(timeout=600)
        assert again.returncode == 0
    assert (tmp_path / "table.csv").read_bytes() == unbroken
