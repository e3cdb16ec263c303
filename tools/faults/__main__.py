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
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from faults.run import FAULTS, TIMES, Result, meet
from faults.verbs import VERBS, unbroken


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="a verb")
    parser.add_argument("--fault", default="", help="a fault")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for verb in VERBS:
            if options.only not in verb.name:
                continue
            start = time.monotonic()
            whole = unbroken(verb, base)
            took = (time.monotonic() - start) / 2
            print(f"{verb.name}: {took:.1f} s; compared: {', '.join(sorted(whole))}", flush=True)
            for fault, times in TIMES.items():
                if options.fault not in fault or not possible(fault):
                    continue
                for _ in range(times):
                    found = meet(fault, verb, base, len(results), whole, took)
                    results.append(found)
                    print(f"  {fault}: {found.first}; {found.said}", flush=True)
                    for wrong in found.wrong:
                        print(f"    WRONG {wrong}", flush=True)
    print(table(results))
    if options.out:
        options.out.write_text(table(results))
    return 0 if not any(result.wrong for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
