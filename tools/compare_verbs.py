"""Runs every verb once with two versions of `preimage` and compares the numbers, bit for bit.

A refactoring must not move a number. This runs small cases of every verb with an executable of
the version before and one of the version after, each in folders of its own, and compares what
they leave: JSON, JSON lines, CSV, NumPy arrays, safetensors, pictures, and the numbers printed.

    python tools/compare_verbs.py run OUT/before .../old/bin/preimage --photos FOLDER
    python tools/compare_verbs.py run OUT/after .../new/bin/preimage --photos FOLDER
    python tools/compare_verbs.py compare OUT/before OUT/after

Both runs take their photos from the same copies in OUT/photos. `--only` names verbs or cases.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from verb_cases import CASES, Case
from verb_outputs import READERS, Content, read

_HASHED = re.compile(r"-[0-9a-f]{8,}(?=[./]|$)")


# --- running ------------------------------------------------------------------------------------


def prepare(photos: Path, folder: Path) -> dict[str, str]:
    """Copies of the photos, shared by both sides: names that the cases' arguments may use."""
    found = sorted(p for p in photos.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if len(found) < 20:
        raise SystemExit(f"--photos {photos}: needs 20 photos, found {len(found)}.")
    parts = {"train": found[:12], "held": found[12:18], "photos": found[18:20]}
    for name, paths in parts.items():
        for path in paths:
            _copy(path, folder / name / path.name)
    for index, path in enumerate(found[:12]):
        small = folder / "classes" / ("even", "odd")[index % 2] / f"{path.stem}.png"
        if not small.exists():
            small.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(path) as image:
                image.convert("RGB").resize((32, 32)).save(small)
    names = {name: str(folder / name) for name in (*parts, "classes")}
    return {**names, "photo": str(folder / "photos" / found[18].name)}


def _copy(source: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def run(side: Path, executable: Path, photos: Path, only: list[str]) -> None:
    """Runs the cases, each in a folder of its own below `side`."""
    names = prepare(photos.resolve(), side.resolve().parent / "photos")
    # Both sides read the decoder and the encoder that this side made: numbers follow from them.
    names["fit"] = str(side.resolve() / "fit" / "decoder.safetensors")
    names["encoder"] = str(side.resolve() / "pretrain" / "out" / "encoder.safetensors")
    for case in chosen(only):
        folder = side / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        words = [str(executable.absolute()), *case.arguments.format(**names).split()]
        start = time.monotonic()
        done = subprocess.run(
            words,
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
        (folder / "stdout.txt").write_text(done.stdout)
        (folder / "stderr.txt").write_text(done.stderr)
        (folder / "code.txt").write_text(f"{done.returncode}\n")
        last = done.stderr.strip().splitlines()[-1:] if done.returncode else []
        print(f"{case.name}: exit {done.returncode}, {time.monotonic() - start:.0f} s", *last)


def chosen(only: list[str]) -> list[Case]:
    """The cases of these names or verbs; all if none are given."""
    return [c for c in CASES if not only or c.name in only or c.name.split("-")[0] in only]


# --- comparing ----------------------------------------------------------------------------------


def compare(before: Path, after: Path, only: list[str]) -> int:
    """Prints a row per case; the number of cases in which a number moved or went."""
    different = 0
    print("| case | files | numbers | moved | gone | new | verdict |")
    print("|---|---|---|---|---|---|---|")
    for case in chosen(only):
        if not (before / case.name).is_dir() or not (after / case.name).is_dir():
            print(f"| {case.name} | | | | | | not run on both sides |")
            different += 1
            continue
        total = compare_case(before / case.name, after / case.name, case)
        different += bool(total.moved or total.gone)
        print(
            f"| {case.name} | {total.files} | {total.numbers:,} | {len(total.moved)} | "
            f"{len(total.gone)} | {total.new} | {total.verdict()} |"
        )
    return different


@dataclass
class Comparison:
    """What became of the numbers of the version before; `new` counts those only the other has."""

    files: int = 0
    numbers: int = 0
    moved: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    new: int = 0

    def verdict(self) -> str:
        """`equal`, or examples of what moved and went."""
        said = [f"moved: {'; '.join(self.moved[:2])}"] if self.moved else []
        said += [f"gone: {'; '.join(self.gone[:3])}"] if self.gone else []
        return " / ".join(said) or "equal"

    def add(self, name: str, one: Content, other: Content) -> None:
        """Counts one file of each side."""
        self.files += 1
        for key, value in one.items():
            self.numbers += 1
            if key not in other:
                self.gone.append(f"{name} {key}")
            elif other[key] != value:
                self.moved.append(f"{name} {key} {_shown(value)} → {_shown(other[key])}")
        self.new += len(other.keys() - one.keys())


def compare_case(before: Path, after: Path, case: Case) -> Comparison:
    """Files by name, each with the one of the other side that it is most like."""
    total = Comparison()
    old, new = grouped(before), grouped(after)
    for name, paths in old.items():
        if name == "stderr.txt" or (name == "stdout.txt" and not case.stdout):
            continue
        left = [read(path) for path in new.get(name, [])]
        for content in map(read, paths):
            if not left:
                total.files += 1
                total.gone.append(name)
                continue
            nearest = min(left, key=lambda other: _num_unequal(content, other))
            left.remove(nearest)
            total.add(name, content, nearest)
        total.new += sum(map(len, left))
    total.new += sum(len(read(path)) for name in new.keys() - old for path in new[name])
    return total


def grouped(folder: Path) -> dict[str, list[Path]]:
    """Files by name, without the digests of settings that some names carry."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        name = _HASHED.sub("-#", path.relative_to(folder).as_posix())
        name = re.sub(r"\b[0-9a-f]{16,}\b", "#", name)
        if path.is_file() and path.suffix in READERS:
            groups.setdefault(name, []).append(path)
    return groups


def _num_unequal(one: Content, other: Content) -> int:
    return sum(1 for key, value in one.items() if key not in other or other[key] != value)


def _shown(value: Any) -> str:
    """A number, or the first letters of the digest of bytes."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()[:8]
    return f"{float.fromhex(value):.9g}" if isinstance(value, str) and "0x" in value else str(value)


def main() -> int:
    """0 if nothing differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    verbs = parser.add_subparsers(dest="action", required=True)
    runner = verbs.add_parser("run")
    runner.add_argument("side", type=Path)
    runner.add_argument("executable", type=Path)
    runner.add_argument("--photos", type=Path, required=True, help="a folder of 20 photos or more")
    comparer = verbs.add_parser("compare")
    comparer.add_argument("before", type=Path)
    comparer.add_argument("after", type=Path)
    for sub in (runner, comparer):
        sub.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    if options.action == "run":
        run(options.side, options.executable, options.photos, options.only)
        return 0
    return min(compare(options.before, options.after, options.only), 1)


if __name__ == "__main__":
    sys.exit(main())
