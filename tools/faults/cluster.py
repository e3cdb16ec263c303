"""A Dask scheduler with one worker, for the sweeps that compute there."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PORT = 18786
ADDRESS = f"tcp://127.0.0.1:{PORT}"
_SECONDS = 60.0


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """At `ADDRESS`, until the block ends.

    Raises:
        RuntimeError: no worker has come within a minute.
    """
    place = ("--host", "127.0.0.1", "--port", str(PORT))
    with (
        _program("dask_scheduler", folder / "scheduler.log", *place),
        _program("dask_worker", folder / "worker.log", ADDRESS, "--nthreads", "1", "--no-nanny"),
    ):
        end = time.monotonic() + _SECONDS
        while "Registered to" not in (folder / "worker.log").read_text():
            if time.monotonic() > end:
                raise RuntimeError("no Dask worker has registered within a minute.")
            time.sleep(0.2)
        yield


@contextlib.contextmanager
def _program(module: str, log: Path, *words: str) -> Iterator[None]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", *words, "--no-dashboard"]
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.kill()
            process.wait()
