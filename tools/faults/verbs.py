"""The commands that go through faults, and what of their results must be the same afterwards."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.torch import load_file

from faults.cluster import ADDRESS
from preimage.data.checkpoints import digest

NETWORK = ("--layer", "conv2", "--width", "6", "--device", "cpu")
SAVING = ("--workers", "0", "--save-every", "0.2")
RECIPE = ("--batch-size", "4", "--crop", "32", "--precision", "fp32", *SAVING)
MODEL = """import torch
def make():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 4, 4), torch.nn.ReLU(), torch.nn.Conv2d(8, 16, 3, padding=1)
    )
"""


@dataclass(frozen=True)
class Verb:
    """A command that writes below `out`.

    Args:
        name: for the table.
        words: of the command line; it runs in a folder with photos.
        shared: whether two at once may both succeed.
    """

    name: str
    words: tuple[str, ...]
    shared: bool = False

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "preimage", *self.words]


OUT = ("--out", "out")
VERBS = (
    Verb(
        "fit",
        ("fit", "--data", "photos", *NETWORK, "--size", "32", "--out", "out/d.safetensors"),
        shared=True,
    ),
    Verb("train", ("train", "--data", "photos", *NETWORK, *RECIPE, "--steps", "150", *OUT)),
    Verb(
        "pretrain",
        ("pretrain", "--data", "photos", "--width-factor", "0.05", *RECIPE, "--steps", "40",
         "--device", "cpu", *OUT),
    ),
    Verb(
        "sweep",
        ("sweep", "run", "--data", "photos", "--layer", "conv1", "conv2", "--width", "4",
         "--networks", "4", "--size", "32", "--workers", "2", "--device", "cpu", *OUT),
        True,
    ),
    Verb(
        "sweep on Dask",
        ("sweep", "run", "--data", "photos", "--layer", "conv1", "conv2", "--width", "4",
         "--networks", "4", "--size", "32", "--scheduler", ADDRESS, "--device", "cpu", *OUT),
        shared=True,
    ),
    Verb(
        "probe",
        ("probe", "--model", "m.py:make", "--raw", "--size", "32", "--data", "photos", "--twins",
         "3", "--layers", "1", "2", "--leakage", *OUT),
    ),
    Verb(
        "reproduce",
        ("reproduce", "fig2b", "--train", "photos", "--held-out", "photos", "--side", "64",
         "--steps", "4", "--batch-size", "2", "--width-factor", "0.02", "--photos", "3",
         "--networks", "2", "--device", "cpu", "--workers", "1", *OUT),
    ),
)  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def make_inputs(folder: Path) -> None:
    """Twelve photos of two classes, and a model in a file."""
    for seed in range(12):
        values = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        path = folder / "photos" / f"class{seed % 2}" / f"{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).resize((72, 72)).save(path)
    (folder / "m.py").write_text(MODEL)


def contents(folder: Path) -> dict[str, str]:
    """Result file → hash; of checkpoints, of their tensors."""
    return {
        str(path.relative_to(folder)): _hash(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _hash(path: Path) -> str:
    if path.suffix == ".safetensors":
        return digest(load_file(path))
    if path.suffix == ".json":
        return json.dumps(_timeless(json.loads(path.read_text())), sort_keys=True)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _timeless(data: Any) -> Any:
    """Without the day, what a run took, and the hash of a card that says what it took."""
    if isinstance(data, dict):
        return {k: _timeless(v) for k, v in data.items() if k not in ("seconds", "sha256", "date")}
    return [_timeless(value) for value in data] if isinstance(data, list) else data


def unbroken(verb: Verb, base: Path) -> dict[str, str]:
    """The results that two undisturbed runs agree on: those of the others hold times.

    Raises:
        RuntimeError: a run fails, or they agree on nothing.
    """
    found = []
    for name in ("a", "b"):
        folder = base / f"{verb.name}-{name}"
        make_inputs(folder)
        run = subprocess.run(
            verb.command, cwd=folder, env=environment(), capture_output=True, text=True
        )
        if run.returncode:
            raise RuntimeError(f"{verb.name}: exit code {run.returncode}: {run.stderr[-500:]}")
        found.append(contents(folder / "out"))
    same = {name: value for name, value in found[0].items() if found[1].get(name) == value}
    if not same:
        raise RuntimeError(f"{verb.name}: two runs agree on no file of {sorted(found[0])}")
    return same


def leftovers(folder: Path) -> Sequence[str]:
    """Hidden files: temporary ones and locks."""
    return [str(p.relative_to(folder)) for p in folder.rglob(".*") if p.is_file()]
