"""Folders of trainings and fits have the names that runs made with earlier versions have."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from preimage.paper import presets
from preimage.paper.arm_names import fit_name
from preimage.paper.arms import Arm
from preimage.paper.options import FigureOptions, Scale, TrainingSet
from preimage.paper.trainings import Trainings


def trainings(scale: Scale, **training: Any) -> Trainings:
    photos = TrainingSet(train="photos/train", held_out="photos/val", **training)
    return Trainings(FigureOptions(figure="fig2a", scale=scale, networks=1, training=photos))


def name(trainings: Trainings, arm: Arm) -> str:
    return trainings.settings(arm).folder.name


def test_trainings_of_the_papers_scale() -> None:
    t = trainings("paper", trained=("imagenet",))
    random, imagenet = (kind.networks[0] for kind in t.encoders("conv2", 1))
    alexnet = t.random_encoders("conv5", 1, "alexnet").networks[0]
    leaky = t.random_encoder("conv2", 0, law="laplace:0.015", slope=0.2)
    assert [
        name(t, Arm(random, feature_scaling=False)),
        name(t, Arm(random, feature_scaling=True)),
        name(t, Arm(imagenet, feature_scaling=False)),
        name(t, Arm(alexnet)),
        name(t, Arm(leaky, feature_scaling=False)),
    ] == [
        "vgg16-conv2-gaussian-0-1f3e49cef1",
        "vgg16-conv2-gaussian-0-8c7b4bbc14",
        "vgg16-conv2-imagenet-53a402f301",
        "alexnet-conv5-gaussian-0-c1a6de7dc8",
        "vgg16-conv2-laplace-0-d38faf7597",
    ]


def test_trainings_of_the_quick_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    leaky = trainings("quick").random_encoder("conv2", 0, law="gaussian:1", slope=0.2)
    scaled = Arm(leaky, feature_scaling=True)
    assert name(trainings("quick"), scaled) == "vgg16-conv2-gaussian-1-a408e24f2f"
    files = ("a.safetensors", "b.safetensors")
    # The recipe's precision was bfloat16; names differ where the precision does.
    old = {"quick": replace(presets.PRESETS["quick"], precision=None)}
    monkeypatch.setattr("preimage.paper.trainings.PRESETS", old)
    t = trainings("quick", trained=files, side=32, photos=1000, steps=300)
    random = t.encoders("conv2", 1)[0].networks[0]
    assert name(t, Arm(random, feature_scaling=False)) == "vgg16-conv2-gaussian-0-93b7d1809b"
    tuned = Arm(random, feature_scaling=True, learning_rate=4e-3)
    assert name(t, tuned) == "vgg16-conv2-gaussian-0-bf3b9c4f8c"


@pytest.mark.parametrize(
    ("scale", "training", "photos", "side", "expected"),
    [
        ("quick", {"trained": ()}, 305, 128, ["gaussian-0-b2d917187e"]),
        (
            "paper",
            {"trained": ("imagenet",)},
            5000,
            227,
            ["gaussian-0-155a2306bf", "imagenet-d7bef6ccaa"],
        ),
        (
            "quick",
            {"trained": ("a.safetensors", "b.safetensors"), "side": 32},
            4882,
            32,
            ["gaussian-0-0666bd8bff", "a-285d38afb9", "b-49055d0f01"],
        ),
    ],
)
def test_fits(
    scale: Scale,
    training: dict[str, Any],
    photos: int,
    side: int,
    expected: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # no one's pre-trained weights
    kinds = trainings(scale, **training).encoders("conv3", 1)
    names = [fit_name(e, "train", photos, side) for kind in kinds for e in kind.networks]
    assert names == [f"vgg16-conv3-{name}" for name in expected]
