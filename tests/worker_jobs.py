"""What worker processes of the tests run. Nothing here imports torch, so that they start at once.

A job that a test has to catch in the middle leaves a line with its process id in a file (`arrive`)
and then waits for ever; the test waits for that line. Nothing depends on how long anything takes.
"""

import os
import signal
import threading
from pathlib import Path
from typing import Any


def process_id() -> int:
    return os.getpid()


def arrive(file: Path) -> int:
    """Leaves a line in the file; how many there are now."""
    with file.open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    return len(arrivals(file))


def arrivals(file: Path) -> list[int]:
    """The processes that have arrived, in order."""
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait_for_ever(file: Path) -> None:
    arrive(file)
    threading.Event().wait()


def wait_until_there(arrived: Path, awaited: Path) -> int:
    arrive(arrived)
    while not awaited.exists():
        threading.Event().wait(0.02)
    return os.getpid()


def fail() -> None:
    raise KeyError("a reason")


def unpicklable() -> Any:
    return lambda: None


def exit_with_3() -> None:
    os._exit(3)


def die_on_width_3(configs: Any, photos: Any, threads: int) -> str:
    """In place of `run_job`: width 3 always kills its worker, width 4 the first time."""
    width = configs[0].width
    attempt = arrive(Path(os.environ["ARRIVALS"]) / f"width {width}")
    if width == 3 or (width == 4 and attempt == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return f"width {width}"
