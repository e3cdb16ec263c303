"""Runs the test command many times under changing conditions: does it ever fail by luck?

    python tools/repeat_tests.py [--runs 20] [--out FILE.md] [--records FILE.jsonl] [PATH ...]

Every run has its own PYTHONHASHSEED, seed of Hypothesis and seed of the global generators. A
quarter of the runs shares the machine with one busy process per core, a quarter has one core
and one worker, the others run as `make test` does. A run is written down when it ends; started
again, the loop takes up where it stopped, and its exit code is 1 if any run has failed.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
CONDITIONS = ("as `make test`", "under load", "as `make test`", "one thread")
LIMIT = 3600.0  # seconds; a run that hangs is a run that fails


@dataclass(frozen=True)
class Run:
    number: int
    condition: str
    hash_seed: int
    hypothesis_seed: int
    global_seed: int
    seconds: float = 0.0
    exit_code: int = -1  # of pytest: 0 when every test has passed
    outcome: str = ""
    failures: tuple[str, ...] = ()


def planned(runs: int) -> list[Run]:
    """Seeds are functions of the run's number, so that one run can be repeated alone."""
    return [
        Run(n, CONDITIONS[n % len(CONDITIONS)], 1_000 + 7 * n, 50_000 + 13 * n, 100 + n)
        for n in range(runs)
    ]


def command(run: Run, paths: list[str]) -> list[str]:
    drawn = ["--hypothesis-profile=random", f"--hypothesis-seed={run.hypothesis_seed}"]
    words = [sys.executable, "-m", "pytest", "-q", *drawn, *paths]
    if run.condition == "one thread":
        return [*one_core(), *words, "-n", "1"]
    return [*words, "-n", "2", "--dist", "worksteal"]


def one_core() -> list[str]:
    """`taskset` where there is one: then worker and driver share one core."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]


@contextlib.contextmanager
def load(busy: int) -> Iterator[None]:
    """That many processes that do nothing but keep a core busy."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def carry_out(run: Run, log: Path, paths: list[str]) -> Run:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(run.hash_seed),
        "PREIMAGE_TEST_SEED": str(run.global_seed),
    }
    busy = (os.cpu_count() or 1) if run.condition == "under load" else 0
    start = time.monotonic()
    with load(busy), log.open("w") as file:
        try:
            words = command(run, paths)
            exit_code = subprocess.run(
                words, cwd=ROOT, env=environment, stdout=file, stderr=file, timeout=LIMIT
            ).returncode
        except subprocess.TimeoutExpired:
            file.write(f"\n=== stopped after {LIMIT:g} s ===\n")
            exit_code = -1
    seconds = time.monotonic() - start
    outcome, failures = read_outcome(log.read_text(errors="replace"))
    return replace(
        run, seconds=round(seconds, 1), exit_code=exit_code, outcome=outcome, failures=failures
    )


def read_outcome(text: str) -> tuple[str, tuple[str, ...]]:
    """pytest's last line without its time, and the names of the tests that failed."""
    last = text.strip().splitlines()[-1] if text.strip() else "no output"
    failures = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", text, re.MULTILINE)
    return re.sub(r" in [\d.]+s.*|=", "", last).strip(), tuple(failures)


def table(runs: list[Run]) -> str:
    """Markdown: one line per run."""
    green = sum(run.exit_code == 0 for run in runs)
    lines = [
        "# Does `make test` ever fail by luck?",
        "",
        f"`python tools/repeat_tests.py --runs {len(runs)}`: {green} of {len(runs)} runs passed; "
        f"{os.cpu_count()} cores, Python {platform.python_version()}. *Under load*: beside one "
        "busy process per core. *One thread*: one worker, bound to one core.",
        "",
        "| run | condition | PYTHONHASHSEED | Hypothesis seed | global seed | seconds | outcome |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in runs:
        outcome = "; ".join([run.outcome, *(f"`{name}`" for name in run.failures)])
        seeds = f"{run.hash_seed} | {run.hypothesis_seed} | {run.global_seed}"
        lines.append(
            f"| {run.number} | {run.condition} | {seeds} | {run.seconds:.0f} | {outcome} |"
        )
    return "\n".join(lines) + "\n"


def read_records(file: Path) -> dict[int, Run]:
    if not file.exists():
        return {}
    records = [json.loads(line) for line in file.read_text().splitlines()]
    return {r["number"]: Run(**{**r, "failures": tuple(r["failures"])}) for r in records}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "RESULTS-tests.md")
    parser.add_argument("--records", type=Path, default=ROOT / "build" / "repeat" / "runs.jsonl")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="tests to run; all by default")
    options = parser.parse_args()
    options.records.parent.mkdir(parents=True, exist_ok=True)
    done = read_records(options.records)
    for run in planned(options.runs):
        if run.number not in done:
            log = options.records.with_name(f"run-{run.number}.log")
            run = carry_out(run, log, options.paths)
            done[run.number] = run
            with options.records.open("a") as file:
                file.write(json.dumps(asdict(run)) + "\n")
        print(f"run {run.number}, {run.condition}: {run.outcome}, {run.seconds:.0f} s", flush=True)
        for name in run.failures:
            print(f"    {name}", flush=True)
    runs = [done[number] for number in sorted(done) if number < options.runs]
    options.out.write_text(table(runs))
    return 0 if all(run.exit_code == 0 for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
