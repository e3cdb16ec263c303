"""What a file that a verb left holds, as name → number or name → bytes, for `compare_verbs.py`."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import safe_open

#: What a file holds: names of numbers, or of arrays as bytes.
Content = dict[str, Any]
#: Keys of records that no two runs share, or that say who ran and how rather than what came out.
VOLATILE = {"environment", "seconds", "command", "run", "version", "out", "started", "photo_files"}
VOLATILE |= {"source", "path", "sha256", "encoder_sha256", "max_minutes", "recipe_name"}
VOLATILE |= {"wait", "record", "parts", "core_seconds"}
#: Columns that tell no rows apart, whatever their values.
OPEN = {"learning_rate", "loss", "mean", "std", "mse", "psnr", "ssim", "pearson", "inverted"}
#: Verdict words that were renamed on purpose, the new word for each old one.
RENAMED = {"agrees": "holds", "disagrees": "fails", "undecided": "not decided"}
_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


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
    """Cells by their column and by the words and whole numbers of their row, in any order."""
    seen: Counter[str] = Counter()
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            numbers = {key: _float(value) for key, value in row.items() if key not in VOLATILE}
            name = ",".join(
                row[key]
                for key, number in numbers.items()
                if key not in OPEN and (number is None or number.is_integer())
            )
            seen[name] += 1
            for key, number in numbers.items():
                if number is not None:
                    yield f"{name}#{seen[name]}.{key}", number


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


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
