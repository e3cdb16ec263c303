"""Writes the committed findings into README's table, so that no number is typed by hand.

    preimage reproduce all --out runs/quick
    preimage demo --out runs/demo
    python tools/write_readme.py --collect runs/quick runs/demo

`preimage reproduce` and `preimage demo` write one JSON file per statement of the paper. `--collect`
copies those of complete runs into the package (`paper/findings`), without the folders of the
machine they were made on; `--partial` those of stopped sweeps too, which name the points that they
reached. A finding of a later folder takes the place of an earlier one. `--check` writes nothing;
its exit code is 1 where README and findings differ.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from preimage.data.records import write_json, write_text
from preimage.data.tables import duration
from preimage.paper.finding import Finding, load_finding
from preimage.paper.registry import FIGURES

ROOT = Path(__file__).parents[1]
README, FINDINGS = ROOT / "README.md", ROOT / "src" / "preimage" / "paper" / "findings"
BEGIN, END = "<!-- findings: written by tools/write_readme.py -->", "<!-- end of findings -->"
HEADING = ("paper", "command", "core time", "the paper's statement", "verdict", "ours")
#: What stands for the paths of an option.
PLACES = {
    "--data": "PHOTOS",
    "--photos": "PHOTOS",
    "--train": "PHOTOS",
    "--held-out": "OTHERS",
    "--trained": "ENCODERS",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--collect", nargs="*", type=Path, default=[], metavar="FOLDER")
    parser.add_argument("--partial", nargs="*", type=Path, default=[], metavar="FOLDER")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    for folder in args.collect:
        collect(folder, FINDINGS)
    for folder in args.partial:
        collect(folder, FINDINGS, partial=True)
    text = README.read_text("utf-8")
    written = with_table(text, table(load_all(FINDINGS)))
    if args.check:
        return int(written != text)
    write_text(README, written)
    return 0


# --- findings -------------------------------------------------------------------------------------


def collect(source: Path, target: Path, partial: bool = False) -> None:
    """Copies the findings of complete runs; with `partial` also of those that were stopped."""
    for path in sorted(source.glob("*.json")):
        try:
            finding, record = load_finding(path)
        except ValueError:
            continue  # of the run itself, not a finding
        if record.get("complete") or partial:
            data = json.loads(path.read_text("utf-8"))
            write_json(target / path.name, committed(finding, record, data))


def committed(
    finding: Finding, record: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, Any]:
    """A finding as it is committed: what was found, how, when, by which versions."""
    versions = ("preimage", "python", "torch", "device", "threads")
    kept = replace(finding, command=public_command(finding.command))
    return {
        **kept.to_dict(),
        "date": data["date"],
        "record": {"seed": record["seed"]},
        "environment": {name: data["environment"].get(name) for name in versions},
    }


def public_command(command: str) -> str:
    """The command with names in place of the paths of one machine, and without `--out`."""
    words: list[str] = []
    option = ""
    for word in shlex.split(command):
        if word.startswith("--"):
            option = word
            words += [word] if word != "--out" else []
        elif option == "--out":
            continue
        elif "/" in word:
            place = PLACES.get(option, option.strip("-").upper())
            words += [place] if words[-1] != place else []
        else:
            words.append(word)
    return " ".join(words)


def load_all(folder: Path) -> list[Finding]:
    """Every finding of a folder, in the order of the paper; the demo's come last."""
    order = [*FIGURES, "demo"]
    found = [load_finding(path)[0] for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda f: (order.index(f.claim.figure), f.claim.name))


# --- the table ------------------------------------------------------------------------------------


def table(findings: Iterable[Finding]) -> str:
    """One row per statement of the paper, in Markdown; a command stands once for its rows."""
    rows = [HEADING, ("---",) * len(HEADING)]
    above = ""
    for finding in findings:
        name, command, time, *rest = _row(finding)
        same = command == above
        rows.append((name, *(("", "") if same else (command, time)), *rest))
        above = command
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(finding: Finding) -> tuple[str, ...]:
    name, _, subject = finding.claim.title.partition(": ")
    cells = (
        name + (f": {subject}" if finding.claim.figure == "demo" else ""),
        f"`{finding.command}`",
        "" if finding.seconds is None else duration(finding.seconds),
        finding.claim.statement,
        finding.verdict_text,
        finding.in_brief,
    )
    return tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in cells)


def with_table(text: str, lines: str) -> str:
    """README with this table between its markers.

    Raises:
        ValueError: it has no markers.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md must hold the markers {BEGIN} and {END}.")
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    return f"{before}{BEGIN}\n\n{lines}\n\n{after}"


if __name__ == "__main__":
    sys.exit(main())
