"""The networks of `probe_study.py`: ten trained ones, what is probed of each, and their twins.

Twins come in three kinds. `built`: as `make` builds them, batch normalisation's statistics (where
a network has it) estimated on 64 training photos. `fan-in`: weights of N(0, 2/fan-in), biases 0.
`normalised`, for the MobileNets, whose files have batch normalisation folded in: as built, with a
batch normalisation behind each convolution again, as the networks were before their training.
"""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from preimage.probing.models import load_weights
from preimage.probing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, RAW, Preprocessing
from preimage.probing.twins import estimate_statistics, random_twin

LIBRARIES: list[Any] = []  # of operators, kept alive
BUILT, FAN_IN, NORMALISED = "built", "fan-in", "normalised"


@dataclass(frozen=True)
class Subject:
    """An architecture: the networks trained of it, and what is probed.

    Args:
        trained: files of weights.
        layers: from the input to the deepest.
        twins: kinds, the one that the findings rest on first.
        window_3: how many of the layers are also read by 3×3 windows.
    """

    trained: tuple[str, ...]
    size: int
    layers: tuple[str, ...]
    twins: tuple[str, ...]
    draws: int = 5
    window_3: int = 0


def _features(*numbers: int) -> tuple[str, ...]:
    return tuple(f"features.{number}" for number in numbers)


def _stages(blocks: int) -> tuple[str, ...]:
    """Of a CIFAR ResNet with so many blocks per stage: stem, first and last block of each stage."""
    middle = f"layer3.{blocks // 2}"
    return ("bn1", "layer1.0", "layer1", "layer2.0", "layer2", "layer3.0", middle, "layer3")


_FOLDED = (NORMALISED, FAN_IN, BUILT)
SUBJECTS = {
    "SqueezeNet 1.0": Subject(
        ("squeezenet1_0",), 224, _features(1, 3, 4, 5, 7, 9, 10, 12), (BUILT,), draws=12
    ),
    "MobileNetV1 0.5": Subject(
        ("mobilenet_v1_0.5_160",), 160, _features(0, 1, 3, 5, 7, 9, 11, 13), _FOLDED
    ),
    "MobileNetV1 0.75": Subject(
        ("mobilenet_v1_0.75_192",), 192, _features(0, 1, 3, 5, 7, 9, 11, 13), _FOLDED
    ),
    "MobileNetV2": Subject(
        ("mobilenet_v2_imagenet", "mobilenet_v2_inat_bird", "mobilenet_v2_inat_insect"),
        224,
        _features(0, 1, 3, 6, 10, 13, 16, 17),
        _FOLDED,
        window_3=6,
    ),
    "ResNet-20": Subject(("resnet20_cifar10",), 32, _stages(3), (BUILT,), draws=20, window_3=8),
    "ResNet-32": Subject(("resnet32_cifar10",), 32, _stages(5), (BUILT,)),
    "ResNet-44": Subject(("resnet44_cifar10",), 32, _stages(7), (BUILT,)),
    "ResNet-56": Subject(("resnet56_cifar10",), 32, _stages(9), (BUILT,)),
}


# --- networks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Maker:
    """Builds the networks of a subject."""

    networks: ModuleType
    folder: Path
    subject: Subject

    @property
    def preprocessing(self) -> Preprocessing:
        """SqueezeNet's is torchvision's; the others normalise their pixels themselves."""
        if "squeezenet" in self.subject.trained[0]:
            return Preprocessing(self.subject.size, IMAGENET_MEAN, IMAGENET_STD)
        return RAW

    def make(self) -> nn.Module:
        """Untrained."""
        name = self.subject.trained[0]
        if "squeezenet" in name:
            made: nn.Module = _torchvision().squeezenet1_0()
        else:
            made = self.networks.make(name)
        return made

    def trained(self, name: str) -> nn.Module:
        """With the weights of a file."""
        if "squeezenet" not in name:
            loaded: nn.Module = self.networks.load(name)
            return loaded
        model = self.make()
        load_weights(model, str(self.folder / f"{name}.safetensors"))
        return model.eval()

    def twin(self, kind: str, seed: int, inputs: list[Tensor]) -> nn.Module:
        """A network with weights drawn from a seed."""
        if kind == NORMALISED:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                model = with_norms(self.make())
            estimate_statistics(model, inputs)
            return model.eval()
        law = self.make if kind == BUILT else "gaussian:fan-in"
        return random_twin(self.make(), seed, inputs, law).model


def with_norms(model: nn.Module) -> nn.Module:
    """Batch normalisation behind each convolution of a chain; paths to blocks stay as they are."""
    for chain in [m for m in model.modules() if isinstance(m, nn.Sequential)]:
        for index, child in enumerate(chain):
            if isinstance(child, nn.Conv2d):
                chain[index] = nn.Sequential(child, nn.BatchNorm2d(child.out_channels))
    return model


def _torchvision() -> Any:
    """torchvision's models, on a torch without CUDA too, where two operators are missing."""
    try:
        from torchvision import models
    except (ImportError, RuntimeError):
        library: Any = torch.library.Library
        LIBRARIES.append(library("torchvision", "FRAGMENT"))
        for name in ("nms", "qnms"):
            schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            LIBRARIES[-1].define(name + schema)
        from torchvision import models
    return models
