"""Fixtures of the figures: what several of them share is computed once per session."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from section4 import Section4, make_small
from trained_figures import Workplace

from preimage.decoders.options import MachineOptions
from preimage.decoders.pretrain import pretrain_encoder
from preimage.decoders.recipes import CLASSIFIER_RECIPE
from preimage.network.spec import ArchitectureName, EncoderSpec


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos to train on, in two classes, and three held out; 40×36 pixels, smooth."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    train = [f"train/{'ab'[index % 2]}/{index}" for index in range(12)]
    for name in (*train, *(f"held_out/{index}" for index in range(3))):
        small = Image.fromarray(generator.integers(0, 256, (5, 5, 3)).astype(np.uint8))
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        small.resize((40, 36), Image.Resampling.BICUBIC).save(path)
    return folder


@pytest.fixture(scope="session")
def trained(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two VGG16s and two AlexNets after two steps each, in place of torchvision's file."""
    names: tuple[ArchitectureName, ...] = ("vgg16", "vgg16", "alexnet", "alexnet")
    folders = [tmp_path_factory.mktemp(f"encoder{seed}") for seed in range(len(names))]
    for seed, (name, folder) in enumerate(zip(names, folders, strict=True)):
        pretrain_encoder(
            EncoderSpec(architecture=name, layer="conv5", width_factor=0.02),
            str(photos / "train"),
            CLASSIFIER_RECIPE.changed(steps=2, batch_size=2, precision="fp32"),
            folder,
            MachineOptions(device="cpu"),
            seed=seed,
        )
    return [folder / "encoder.safetensors" for folder in folders]


@pytest.fixture(scope="session")
def workplace(
    photos: Path, trained: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Workplace:
    return Workplace(photos, trained, tmp_path_factory.mktemp("figures"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


@pytest.fixture(scope="session")
def section4(tmp_path_factory: pytest.TempPathFactory) -> Section4:
    return Section4(tmp_path_factory.mktemp("section4"))
