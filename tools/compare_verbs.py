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
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import safe_open
from verb_cases import CASES, Case

#: Keys of records that no two runs share, or that say who ran and how rather than what came out.
VOLATILE = {"environment", "seconds", "command", "run", "version", "out", "started", "photo_files"}
VOLATILE |= {"source", "path", "sha256", "encoder_sha256", "max_minutes", "recipe_name"}
#: Verdict words that were renamed on purpose, the new word for each old one.
RENAMED = {"agrees": "holds", "disagrees": "fails", "undecided": "not decided"}
_HASHED = re.compile(r"-[0-9a-f]{8,}(?=[./]|$)")
_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


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
    """Prints a row per case; the number of cases that differ."""
    different = 0
    print("| case | files | numbers | verdict |\n|---|---|---|---|")
    for case in chosen(only):
        if not (before / case.name).is_dir() or not (after / case.name).is_dir():
            print(f"| {case.name} | | | not run on both sides |")
            different += 1
            continue
        files, numbers, problems = compare_case(before / case.name, after / case.name, case)
        different += bool(problems)
        said = "equal" if not problems else "; ".join(problems)
        print(f"| {case.name} | {files} | {numbers:,} | {said} |")
    return different


def compare_case(before: Path, after: Path, case: Case) -> tuple[int, int, list[str]]:
    """Files compared, numbers compared, and in what the two differ."""
    problems = []
    old, new = grouped(before), grouped(after)
    for names, word in ((old.keys() - new.keys(), "gone"), (new.keys() - old.keys(), "new")):
        problems += [f"{word}: {name}" for name in sorted(names)]
    files = numbers = 0
    for name in sorted(old.keys() & new.keys()):
        if name == "stderr.txt" or (name == "stdout.txt" and not case.stdout):
            continue
        one, other = ([read(path) for path in side[name]] for side in (old, new))
        files += len(one)
        numbers += sum(len(content) for content in one)
        problems += difference(name, one, other)
    return files, numbers, problems


def grouped(folder: Path) -> dict[str, list[Path]]:
    """Files by name, without the digests of settings that some names carry."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        name = _HASHED.sub("-#", path.relative_to(folder).as_posix())
        name = re.sub(r"\b[0-9a-f]{16,}\b", "#", name)
        if path.is_file() and path.suffix in READERS:
            groups.setdefault(name, []).append(path)
    return groups


Content = dict[str, Any]


def difference(name: str, one: list[Content], other: list[Content]) -> list[str]:
    """What two groups of files differ in, in words; files of a group come in any order."""
    if len(one) != len(other):
        return [f"{name}: {len(one)} files against {len(other)}"]
    left = list(other)
    unmatched = []
    for content in one:
        if content in left:
            left.remove(content)
        else:
            unmatched.append(content)
    problems = []
    for content in unmatched:
        nearest = min(left, key=lambda candidate: len(_unequal(content, candidate)))
        left.remove(nearest)
        unequal = _unequal(content, nearest)
        shown = "".join(
            f" {key} {content.get(key, '–')} → {nearest.get(key, '–')}," for key in unequal[:4]
        ).rstrip(",")
        problems.append(f"{name}: {len(unequal)} of {len(content)} differ:{shown}")
    return problems


def _unequal(one: Content, other: Content) -> list[str]:
    keys = dict.fromkeys([*one, *other])
    return [key for key in keys if one.get(key, _ABSENT) != other.get(key, _ABSENT)]


_ABSENT = object()


# --- reading: a file as name → number, or name → bytes ------------------------------------------


def read(path: Path) -> Content:
    """What a file holds, in a form that `==` compares bit for bit (and NaN with NaN)."""
    return {key: _exact(value) for key, value in READERS[path.suffix](path)}


def _exact(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value


def _json(path: Path) -> Iterator[tuple[str, Any]]:
    yield from _flat(json.loads(path.read_text("utf-8")), "")


def _jsonl(path: Path) -> Iterator[tuple[str, Any]]:
    for index, line in enumerate(path.read_text("utf-8").splitlines()):
        yield from _flat(json.loads(line), f"{index}")


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The numbers and truth values of nested records; text is not compared but for verdicts."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in VOLATILE:
                yield from _flat(item, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, f"{name}.{index}")
    elif isinstance(value, int | float):
        yield name, value
    elif name.split(".")[-1] == "verdict":
        yield name, RENAMED.get(value, value)


def _csv(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        for index, row in enumerate(csv.DictReader(file)):
            for key, value in row.items():
                if key in VOLATILE:
                    continue
                try:
                    yield f"{index}.{key}", float(value)
                except ValueError:
                    continue


def _npy(path: Path) -> Iterator[tuple[str, Any]]:
    array = np.load(path, allow_pickle=False)
    yield str(array.shape), array.tobytes()


def _tensors(path: Path) -> Iterator[tuple[str, Any]]:
    with safe_open(path, "numpy") as file:
        for key in file.keys():  # noqa: SIM118
            yield key, file.get_tensor(key).tobytes()


def _picture(path: Path) -> Iterator[tuple[str, Any]]:
    """Pixels of pictures that are data; figures carry words, which may change."""
    if path.stem.endswith(("_grey", "_colour", "_decoded")) or path.stem.startswith("features-"):
        with Image.open(path) as image:
            yield f"{image.size}", image.tobytes()


def _text(path: Path) -> Iterator[tuple[str, Any]]:
    """How often each number was printed."""
    text = re.sub(r"\S*/\S*", "", path.read_text("utf-8"))  # paths
    yield from Counter(_NUMBER.findall(text)).items()


READERS: dict[str, Callable[[Path], Iterator[tuple[str, Any]]]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".npy": _npy,
    ".safetensors": _tensors,
    ".png": _picture,
    ".txt": _text,
}


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
