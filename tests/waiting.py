"""Waiting for what another process does: with a limit that says what did not come."""

import subprocess
import time
from collections.abc import Callable

import pytest

LIMIT = 240.0  # seconds; far beyond any load, and only a fault reaches it


def wait_for(what: str, there: Callable[[], object], limit: float = LIMIT) -> None:
    end = time.monotonic() + limit
    while not there():
        if time.monotonic() > end:
            pytest.fail(f"waited {limit:g} s in vain: {what}")
        time.sleep(0.02)


def has_ended(process: int) -> bool:
    """Whether a process that is not our child is gone, or waits to be collected."""
    words = ["ps", "-o", "stat=", "-p", str(process)]
    state = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return not state or state.startswith("Z")
