"""Why: does training throw away what random weights keep? Ten trained networks against their twins.

    python benchmarks/probe_study.py WEIGHTS --photos TRAIN --held-out OTHERS --cifar cifar10.zip \
        --out study

WEIGHTS holds the .safetensors files of the ten networks and `networks.py`, whose `make(name)`
builds each of them untrained. Every network, trained or a twin, is one file in `--out`; started
again, the script computes what is missing. `benchmarks/probe_study_findings.py` reads that folder.
"""

import argparse
import importlib.util
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from types import ModuleType

import torch
from probe_study_networks import SUBJECTS, Maker, Subject
from torch import Tensor

from preimage.data.photo import fit_pixels
from preimage.data.records import environment, write_json
from preimage.data.sources import open_images
from preimage.decoders.evaluate import bicubic
from preimage.probing.controls import block_basis, psnr
from preimage.probing.linear_rung import Experiment, probe_network, squared_error
from preimage.probing.photos import ProbePhotos
from preimage.probing.targets import Target, find_targets


def spread_out(source: str, count: int, size: int) -> Tensor:
    """So many photos, evenly spread over a source, so that its classes are mixed."""
    images = open_images(source)
    picked = [i * len(images) // count for i in range(min(count, len(images)))]
    return torch.stack([fit_pixels(images.read(i), size) for i in picked]).float()


@dataclass(frozen=True)
class Cell:
    """One network to measure: a file of weights, or a kind of twin and its seed."""

    network: str
    seed: int | None = None
    window: int = 1

    @property
    def name(self) -> str:
        """Of its file."""
        seed = "" if self.seed is None else f"-{self.seed}"
        return f"{self.network}{seed}" + ("-window3" if self.window == 3 else "")


def rounds(subject: Subject) -> list[list[Cell]]:
    """The most telling networks first, so that a run that is stopped has them of all subjects."""
    main, *others = subject.twins
    wide = subject.window_3
    return [
        [Cell(name) for name in subject.trained] + [Cell(main, seed) for seed in range(5)],
        [Cell(kind, seed) for kind in others for seed in range(5)],
        [Cell(subject.trained[0], None, 3), *(Cell(main, i, 3) for i in range(5))] if wide else [],
        [Cell(main, seed) for seed in range(5, subject.draws)],
    ]


@dataclass(frozen=True)
class Study:
    """A subject with its photos and its folder of cells."""

    maker: Maker
    photos: ProbePhotos
    folder: Path

    @cached_property
    def targets(self) -> list[Target]:
        """The subject's layers, alike for every network of it."""
        subject = self.maker.subject
        model = self.maker.trained(subject.trained[0])
        layers, preprocessing = list(subject.layers), self.maker.preprocessing
        found = find_targets(model, layers, preprocessing, self.photos.training)
        return sorted(found, key=lambda target: layers.index(target.name))

    def describe(self) -> None:
        """Writes what the networks have in common: photos, layers, floors and ceilings, in dB."""
        path = self.folder / "common.json"
        if path.is_file():
            return
        training, held = self.photos.training, self.photos.held_out

        def decibels(output: Tensor) -> float:
            return fmean(psnr(squared_error(output, held).tolist()))

        layers = []
        for target in self.targets:
            assert target.layout.grid is not None
            assert target.stride is not None
            basis = block_basis(training, target.stride, target.layout.channels)
            layers.append(
                {
                    "layer": target.name,
                    "features": str(target.layout),
                    "stride": target.stride,
                    "bicubic": decibels(bicubic(held, target.layout.grid)),
                    "ceiling": fmean(psnr(basis.squared_error(held).tolist())) if basis else None,
                }
            )
        common = {
            "size": self.maker.subject.size,
            "photos": self.photos.record(),
            "mean_image": decibels(training.mean(0, keepdim=True).expand_as(held)),
            "layers": layers,
            "environment": environment(),
        }
        write_json(path, common)

    def measure(self, cell: Cell) -> None:
        """Computes a cell that the folder lacks."""
        path = self.folder / f"{cell.name}.json"
        if path.is_file():
            return
        preprocessing, targets = self.maker.preprocessing, self.targets
        start = time.process_time()
        if cell.seed is None:
            model = self.maker.trained(cell.network)
        else:
            parts = torch.split(self.photos.training[:64], 16)
            inputs = [preprocessing(part) for part in parts]
            model = self.maker.twin(cell.network, cell.seed, inputs)
        if cell.window == 3:
            targets = targets[: self.maker.subject.window_3]
        found = probe_network(model, Experiment(targets, preprocessing, self.photos, cell.window))
        seconds = time.process_time() - start
        layers = {name: {"mse": r.mse, "ridge": r.ridge} for name, r in found.items()}
        write_json(path, {"layers": layers, "seconds": seconds})
        print(f"{self.folder.name} {cell.name}: {seconds:.0f} s", flush=True)


def open_study(name: str, networks: ModuleType, args: argparse.Namespace) -> Study:
    subject = SUBJECTS[name]
    small = subject.size == 32
    sources = (args.photos, args.held_out)
    if small:
        sources = (f"{args.cifar}/cifar10/train", f"{args.cifar}/cifar10/test")
    counts = (1000, 300) if small else (120, 60)
    training, held_out = (
        spread_out(source, count, subject.size)
        for source, count in zip(sources, counts, strict=True)
    )
    maker = Maker(networks, args.weights, subject)
    return Study(maker, ProbePhotos(training, held_out), args.out / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--held-out", required=True)
    parser.add_argument("--cifar", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(SUBJECTS), choices=list(SUBJECTS))
    args = parser.parse_args()
    spec = importlib.util.spec_from_file_location("networks", args.weights / "networks.py")
    assert spec is not None
    assert spec.loader is not None
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    studies = [open_study(name, networks, args) for name in args.only]
    for number in range(4):
        for study in studies:
            for cell in rounds(study.maker.subject)[number]:
                study.measure(cell)
    for study in studies:
        study.describe()


if __name__ == "__main__":
    main()
