"""Spoils files of every kind, gives them to the verb that reads them, and counts what comes.

    python -m fuzz [--cases 5000] [--minutes M] [--seed 0] [--only NAME] [--out FILE.md]

A case is right if the command refuses in one line with exit code 2, or does its work and its
results are what they claim to be. Every case is a function of (seed, number): `--first N --cases 1`
repeats one. Exit code 1 if any case is wrong.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import torch

from fuzz.corpus import build
from fuzz.runner import Case, run_cases
from fuzz.subjects import Subject

ROOT = Path(__file__).parents[2]


def table(cases: list[Case], seed: int, subjects: list[Subject]) -> str:
    """Markdown: what was spoilt, over what came of it."""
    outcomes = sorted({case.outcome for case in cases}, key=lambda o: (o not in Case.RIGHT, o))
    counts = Counter((case.subject, case.outcome) for case in cases)
    wrong = sum(not case.right for case in cases)
    memory = max((case.memory for case in cases), default=0.0)
    seconds = max((case.seconds for case in cases), default=0.0)
    lines = [
        "# Wrong files, and what the verbs make of them",
        "",
        f"`python -m fuzz --cases {len(cases)} --seed {seed}`: {len(cases):,} files, {wrong} "
        f"answered wrongly. At the most {memory:.2f} GiB and {seconds:.0f} s for one of them.",
        "",
        "*refused*: exit code 2, one line, nothing left behind but the results of whole files. "
        "*done*: exit code 0, and every photo is in the record or named, or the results are those "
        "of the whole file.",
        "",
        "| spoilt | files | " + " | ".join(outcomes) + " |",
        "| --- | " + " | ".join("---" for _ in ("files", *outcomes)) + " |",
    ]
    for subject in subjects:
        row = [counts[subject.name, outcome] for outcome in outcomes]
        if sum(row):
            lines.append(f"| {subject.name} | {sum(row)} | {' | '.join(map(str, row))} |")
    total = [sum(case.outcome == outcome for case in cases) for outcome in outcomes]
    lines.append(f"| all | {len(cases)} | {' | '.join(map(str, total))} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--keep", type=Path, help="folder for the files of wrong cases")
    options = parser.parse_args()
    torch.set_num_threads(1)  # cases are forked, and threads are not
    end = monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        base = Path(folder)
        subjects = [s for s in build(base) if options.only in s.name]
        numbers = range(options.first, options.first + options.cases)
        cases = []
        for case in run_cases(
            base, subjects, options.seed, numbers, options.workers, end, options.keep
        ):
            cases.append(case)
            if not case.right:
                print(json.dumps(asdict(case), ensure_ascii=False), flush=True)
    print(table(cases, options.seed, subjects))
    if options.out:
        options.out.write_text(table(cases, options.seed, subjects))
    return 0 if all(case.right for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
