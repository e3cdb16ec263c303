"""Verbs under faults: killed, interrupted, on a full, read-only or broken disk, two at once.

    cd tools && python -m faults [--only VERB] [--fault NAME] [--out FILE.md]

After the fault the same command is given again. Right is: no traceback, a word about what
happened, success reported only with the results of the unbroken run, these results bit for bit in
the end, nothing hidden left in the folder, no process left. Linux; small disks need root, broken
ones a C compiler. Exit code 1 if anything is wrong.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from faults.cluster import cluster
from faults.run import FAULTS, TIMES, Result, meet
from faults.verbs import VERBS, Verb, unbroken


def possible(fault: str) -> bool:
    if fault in ("full disk", "read-only folder"):
        return os.geteuid() == 0
    return fault not in ("EIO", "clock jumps") or shutil.which("cc") is not None


def table(results: list[Result]) -> str:
    """Markdown: how many of each verb and fault were right."""
    verbs = list(dict.fromkeys(result.verb for result in results))
    met = list(dict.fromkeys(result.fault for result in results))
    all_ = Counter((r.verb, r.fault) for r in results)
    right = Counter((r.verb, r.fault) for r in results if not r.wrong)
    wrong = len(results) - sum(right.values())
    lines = [
        "# Verbs under faults",
        "",
        f"`make faults`: {len(results)} faults, {wrong} met wrongly. Right of all:",
        "",
        "| verb | " + " | ".join(met) + " |",
        "| --- | " + " | ".join("---" for _ in met) + " |",
    ]
    for verb in verbs:
        cells = [f"{right[verb, fault]} of {all_[verb, fault]}" for fault in met]
        lines.append(f"| {verb} | {' | '.join(cells)} |")
    left_out = [fault for fault in FAULTS if fault not in met]
    if left_out:
        lines += ["", f"Not met on this machine: {', '.join(left_out)}."]
    return "\n".join(lines) + "\n"


def meet_all(verb: Verb, faults: list[str], base: Path, first: int) -> list[Result]:
    """The faults of one verb, printed as they are met; `first` is the number of the first."""
    start = time.monotonic()
    whole = unbroken(verb, base)
    took = (time.monotonic() - start) / 2
    print(f"{verb.name}: {took:.1f} s; compared: {', '.join(sorted(whole))}", flush=True)
    results = []
    for number, fault in enumerate(faults, first):
        found = meet(fault, verb, base, number, whole, took)
        results.append(found)
        print(f"  {fault}: {found.first}; {found.said}", flush=True)
        for wrong in found.wrong:
            print(f"    WRONG {wrong}", flush=True)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="a verb")
    parser.add_argument("--fault", default="", help="a fault")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    # A job in the background begins with Ctrl-C ignored, and so would the commands.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        faults = [f for f in TIMES if options.fault in f and possible(f) for _ in range(TIMES[f])]
        for verb in VERBS:
            if options.only in verb.name:
                with cluster(base) if "Dask" in verb.name else nullcontext():
                    results += meet_all(verb, faults, base, len(results))
    print(table(results))
    if options.out:
        options.out.write_text(table(results))
    return 0 if not any(result.wrong for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
