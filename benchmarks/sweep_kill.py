"""Why: a sweep of hours is killed sooner or later, and must end with the table of an unbroken one.

Runs a small sweep unbroken, then again from an empty folder while its driver or its workers are
killed (signal 9) at random moments, twenty times over; each killed driver is started again. Then
it compares the two tables byte by byte.

    python benchmarks/sweep_kill.py [--kills 20] [--seed 0]
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GRID = "sweep --layer conv1 --pooled --width 2 4 8 16 --head conv mean --unpool zeros nearest"
SIZE = ["--networks", "40", "--size", "64", "--workers", "2"]


def start(out: Path) -> "subprocess.Popen[bytes]":
    words = [*GRID.split(), *SIZE, "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "preimage", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def workers(driver: int) -> list[int]:
    """Its worker processes, without the helper that Python starts beside them."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(driver)], capture_output=True, text=True
    ).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "spawn_main" in line]


def count(out: Path) -> int:
    return len(list(out.glob("cells/*.json")))


def wait_for(out: Path, cells: int, driver: "subprocess.Popen[bytes]") -> bool:
    while driver.poll() is None and count(out) < cells:
        time.sleep(0.01)
    return driver.poll() is None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        unbroken, broken = Path(folder, "unbroken"), Path(folder, "broken")
        assert start(unbroken).wait() == 0
        total = count(unbroken)
        # When so many cells are there, and a random moment later.
        moments = sorted(rng.sample(range(total * 19 // 20), options.kills))
        driver, killed = start(broken), {"driver": 0, "worker": 0}
        for number, moment in enumerate(moments):
            if not wait_for(broken, moment, driver):
                break
            time.sleep(rng.random() * 0.3)
            if number % 2 and (alive := workers(driver.pid)):
                os.kill(rng.choice(alive), signal.SIGKILL)
                killed["worker"] += 1
            else:
                driver.kill()
                driver.wait()
                killed["driver"] += 1
                driver = start(broken)
        code = driver.wait()
        same = (unbroken / "table.csv").read_bytes() == (broken / "table.csv").read_bytes()
        print(
            f"{total} cells, killed {killed['driver']} drivers and {killed['worker']} workers; "
            f"last exit code {code}; tables equal byte for byte: {same}"
        )
        sys.exit(not same)


if __name__ == "__main__":
    main()
