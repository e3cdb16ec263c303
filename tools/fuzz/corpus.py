"""Whole files of every kind, made by the package itself, and the commands that read them."""

import contextlib
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from fuzz.subjects import (
    Honest,
    Spoil,
    Subject,
    anything,
    crafted,
    every_member_accounted,
    every_photo_accounted,
    same,
    same_tensors,
    text_file,
    yaml_file,
)
from preimage.app.cli.main import main

NETWORK = ("--layer", "conv1", "--width", "4", "--device", "cpu")
SMALL = (*NETWORK, "--size", "16")
OUT = ("--out", "out")
FIT = (*SMALL, "--window", "1", "--out", "d.safetensors")
RECIPE = ("--workers", "0", "--batch-size", "2", "--crop", "16", "--precision", "fp32")
TRAIN = ("train", *NETWORK, *RECIPE, "--steps", "3", "--data", "photos", *OUT)
SWEEP = ("sweep", "run", "--layer", "conv1", "--width", "2", "--networks", "2", "--size", "16")
PROBE = (
    "probe",
    "--model",
    "m.py:make",
    "--raw",
    "--size",
    "16",
    "--data",
    "photos",
    "--twins",
    "1",
)
KINDS = ("png", "jpg", "gif", "bmp", "tiff", "webp", "ppm")
MODEL = """import torch
def make():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 4, 4), torch.nn.ReLU())
"""


class Corpus:
    """Subjects below a folder: NAME holds the whole files, whole/NAME what the command makes."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.subjects: list[Subject] = []

    def folder(self, name: str) -> Path:
        path = self.base / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def whole(self, name: str) -> Path:
        return self.base / "whole" / name

    def add(
        self,
        name: str,
        share: float,
        files: tuple[str, ...],
        command: tuple[str, ...],
        honest: Honest,
        spoil: Spoil | None = None,
    ) -> None:
        """Runs the command on the whole files first.

        Raises:
            RuntimeError: that fails, or is judged as dishonest.
        """
        subject = Subject(name, share, files, command, honest, spoil)
        shutil.copytree(self.folder(name), self.whole(name))
        code = run_in(self.whole(name), command)
        wrong = honest(self.whole(name)) if code == 0 else f"exit code {code}"
        if wrong is not None:
            raise RuntimeError(f"{name}: whole files give {wrong}")
        self.subjects.append(subject)


def run_in(folder: Path, command: tuple[str, ...]) -> int:
    with contextlib.chdir(folder):
        return main(command)


def build(base: Path) -> list[Subject]:
    """The subjects, their files below `base`."""
    corpus = Corpus(base)
    for make in (_photos, _archives, _features_and_decoders, _weights, _runs, _stores, _configs):
        make(corpus)
    return corpus.subjects


def picture(path: Path, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).resize((18, 20)).save(path)


def some_photos(folder: Path, count: int = 8) -> None:
    for seed in range(count):
        picture(folder / "photos" / f"class{seed % 2}" / f"{seed}.png", seed)


def _photos(corpus: Corpus) -> None:
    names = tuple(f"x.{kind}" for kind in KINDS)
    for seed, name in enumerate(names):
        picture(corpus.folder("photo") / name, seed)
    command = ("reconstruct", *names, *SMALL, *OUT)
    corpus.add("photo", 6, names, command, every_photo_accounted(len(names)))
    some_photos(corpus.folder("photo in a folder"))
    names = tuple(f"photos/class{n % 2}/{n}.png" for n in range(8))
    honest = every_member_accounted("photos")
    corpus.add("photo in a folder", 2, names, ("fit", "--data", "photos", *FIT), honest)


def _archives(corpus: Corpus) -> None:
    some_photos(corpus.base)
    files = sorted((corpus.base / "photos").rglob("*.png"))
    for name, file in (("zip", "x.zip"), ("LZMA zip", "y.zip"), ("tar", "x.tar")):
        path = corpus.folder(name) / file
        if file == "x.tar":
            with tarfile.open(path, "w") as tar:
                for photo in files:
                    tar.add(photo, photo.relative_to(corpus.base))
        else:
            method = zipfile.ZIP_DEFLATED if name == "zip" else zipfile.ZIP_LZMA
            with zipfile.ZipFile(path, "w", method) as packed:
                for photo in files:
                    packed.write(photo, photo.relative_to(corpus.base))
        corpus.add(name, 3, (file,), ("fit", "--data", file, *FIT), every_member_accounted(file))


def _features_and_decoders(corpus: Corpus) -> None:
    some_photos(corpus.base)
    made = corpus.base / "d.safetensors"
    run_in(corpus.base, ("fit", "--data", "photos", *FIT))
    for name in ("features", "decoder", "crafted decoder"):
        shutil.copy(made, corpus.folder(name))
        picture(corpus.folder(name) / "x.png", 3)
    save_file({"x": torch.rand(2, 4, 16, 16)}, corpus.folder("features") / "f.safetensors")
    decode = ("reconstruct", "--decoder", "d.safetensors", *OUT)
    from_features = (*decode, "--features", "f.safetensors", "--size", "16")
    corpus.add("features", 4, ("f.safetensors",), from_features, anything)
    from_photo = (*decode, "x.png")
    honest = same(corpus.whole("decoder"), "out/x_decoded.png")
    corpus.add("decoder", 4, ("d.safetensors",), from_photo, honest)
    corpus.add("crafted decoder", 8, ("d.safetensors",), from_photo, anything, crafted("decoder"))


def _weights(corpus: Corpus) -> None:
    folder = corpus.folder("weights")
    (folder / "m.py").write_text(MODEL)
    some_photos(folder)
    torch.manual_seed(0)
    state = {"0.weight": torch.randn(4, 3, 4, 4), "0.bias": torch.randn(4)}
    torch.save(state, folder / "w.pth")
    save_file(state, folder / "w.safetensors")
    for file in ("w.pth", "w.safetensors"):
        name = f"weights {file[1:]}"
        shutil.copytree(folder, corpus.folder(name), dirs_exist_ok=True)
        command = (*PROBE, "--weights", file, "--twins", "0", *OUT)
        corpus.add(name, 3, (file,), command, anything)


def _runs(corpus: Corpus) -> None:
    some_photos(corpus.folder("training"))
    run_in(corpus.folder("training"), (*TRAIN, "--max-minutes", "0.0001"))
    files = ("out/metrics.jsonl", "out/state.safetensors")
    honest = same_tensors(corpus.whole("training"), "out/decoder.safetensors")
    corpus.add("training", 4, files, TRAIN, honest, text_file)
    shutil.copytree(corpus.folder("training"), corpus.folder("crafted state"), dirs_exist_ok=True)
    state = ("out/state.safetensors",)
    corpus.add("crafted state", 3, state, TRAIN, anything, crafted("training state"))


def _stores(corpus: Corpus) -> None:
    folder = corpus.folder("sweep")
    picture(folder / "x.png", 0)
    command = (*SWEEP, "--data", "x.png", "--workers", "1", "--device", "cpu", *OUT)
    run_in(folder, command)
    files = tuple(sorted(str(p.relative_to(folder)) for p in (folder / "out").rglob("*.json*")))
    honest = same(corpus.whole("sweep"), "out/table.csv")
    corpus.add("sweep", 1, files, command, honest, text_file)
    folder = corpus.folder("probe")
    (folder / "m.py").write_text(MODEL)
    some_photos(folder)
    probe = (*PROBE, *OUT)
    run_in(folder, probe)
    files = tuple(
        sorted(str(p.relative_to(folder)) for p in (folder / "out" / "networks").iterdir())
    )
    corpus.add("probe", 3, files, probe, same(corpus.whole("probe"), "out/probe.json"))


def _configs(corpus: Corpus) -> None:
    folder = corpus.folder("configuration")
    picture(folder / "x.png", 0)
    (folder / "c.yaml").write_text(
        "layer: conv1\nwidth: 4\nsize: 16\nweights: gaussian:0.1\npool: max\nseed: 3\nslope: 0.2\n"
        "head: conv\nunpool: zeros\ndevice: cpu\nphotos: [x.png]\nout: out\n"
    )
    command = ("reconstruct", "--config", "c.yaml")
    corpus.add("configuration", 4, ("c.yaml",), command, anything, yaml_file)
