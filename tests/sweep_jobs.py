"""Jobs that fail, for worker processes to import. Each attempt leaves a line in $ATTEMPTS."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from preimage.network.spec import ReconstructConfig
from preimage.sweeps.jobs import JobResult, run_job

Configs = tuple[ReconstructConfig, ...]


def attempts() -> list[str]:
    path = Path(os.environ["ATTEMPTS"])
    return path.read_text().splitlines() if path.exists() else []


def _note(configs: Configs) -> int:
    """Which attempt this is."""
    line = " ".join(f"{config.width}/{config.head}" for config in configs)
    with Path(os.environ["ATTEMPTS"]).open("a") as file:
        file.write(line + "\n")
    return attempts().count(line)


def fail_on_width_3(configs: Configs, photos: Any, threads: int) -> JobResult:
    _note(configs)
    if any(config.width == 3 and config.head == "mean" for config in configs):
        raise RuntimeError("width 3 is\nnot for us")
    return run_job(configs, photos, threads)


def die_on_width_3(configs: Configs, photos: Any, threads: int) -> JobResult:
    """Width 3 always kills its worker, width 4 the first time."""
    attempt = _note(configs)
    width = configs[0].width
    if width == 3 or (width == 4 and attempt == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return run_job(configs, photos, threads)


def process_number() -> int:
    return os.getpid()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def unpicklable() -> Any:
    return lambda: None


def fail() -> None:
    raise KeyError("a reason")
