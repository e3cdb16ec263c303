"""Why: help should answer before one loses the thread. How long does each `--help` take?

The wall time of a fresh process from its start to its end, and the processor time it took, which
hardly depends on what else the machine does; medians.

    python benchmarks/startup.py [--repeats 5]
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from preimage.app.cli.main import VERBS


def measure(words: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of a command."""
    before, start = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "preimage", *words]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, os.times()
    processor = after.children_user - before.children_user
    return wall, processor + after.children_system - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(f"{'':24} {'wall':>7} {'processor':>10}   seconds, median of {repeats}")
    for words in (["--version"], ["--help"], *([verb, "--help"] for verb in VERBS)):
        runs = [measure(words) for _ in range(repeats)]
        wall, processor = (statistics.median(values) for values in zip(*runs, strict=True))
        print(f"{'preimage ' + ' '.join(words):24} {wall:7.3f} {processor:10.3f}")


if __name__ == "__main__":
    main()
