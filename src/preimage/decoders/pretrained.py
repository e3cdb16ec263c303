"""Pre-trained encoders: torchvision's official weight files, or files in torchvision's layout.

Nothing of torchvision is imported. Its files hold `features.N.weight` and `.bias`, N counting
convolutions, activations and pools; the description has the same convolutions in the same order.
"""

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from preimage.decoders.official_weights import ADDRESSES, WeightsError, file_sha256, official_file
from preimage.network.architectures import architecture as architecture_named
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.network.spec import IMAGENET_MEAN, IMAGENET_STD
from preimage.network.weights import PRETRAINED, no_such_file


def pretrained_encoder(
    weights: str, architecture: str, layer: str, *, pooled: bool = False
) -> tuple[Network, dict[str, Any]]:
    """A pre-trained encoder up to a layer, for RGB pixels in [0, 255], and where it comes from.

    Its description has biases, ReLU, and ImageNet's normalisation as its first operation. vgg16's
    pools are in ceil mode as in the paper's Table 1, torchvision's in floor mode. Where every pool
    takes in an even size (224, not 227) the features are torchvision's; else ours keep a last row
    and column that floor mode drops, and differ from torchvision's near them.

    Args:
        weights: `imagenet` or `pretrained` for torchvision's file, downloaded once into torch's own
            cache; or the path of a .pth or .safetensors file in torchvision's layout.

    Raises:
        WeightsError: no such file, no network, a wrong checksum, a damaged file, or layers that
            don't fit the architecture.
        ValueError: no such architecture or layer.
    """
    whole = pretrained_description(architecture)
    encoder = whole.cut(layer, pooled=pooled)
    origin: dict[str, Any] = {"weights": weights, "layout": "torchvision"}
    if weights in PRETRAINED:
        origin["weights"] = "imagenet"
        path, sha256 = official_file(architecture)
        origin |= {"url": ADDRESSES[architecture]}
    else:
        path = Path(weights)
        if not path.is_file():
            raise WeightsError(no_such_file(path))
        origin["weights"] = path.name
        sha256 = file_sha256(path)
    tensors = from_torchvision(whole, read_tensors(path), str(path))
    network = Network(encoder)
    kept = network.state_dict().keys()
    network.load_state_dict({name: tensors[name] for name in kept})
    return network.eval(), {**origin, "file": path.name, "sha256": sha256}


def pretrained_description(architecture: str) -> Description:
    """The whole encoder that torchvision's weights belong to.

    Raises:
        ValueError: no such architecture.
    """
    encoder = architecture_named(architecture).with_activation(0.0).with_bias()
    return encoder.with_input(IMAGENET_MEAN, IMAGENET_STD)


def from_torchvision(
    description: Description, tensors: Mapping[str, Tensor], source: str
) -> dict[str, Tensor]:
    """The state of the description's `Network`, float32, from tensors in torchvision's layout.

    Args:
        source: what messages call the tensors.

    Raises:
        WeightsError: other layers than the description's, or of other shapes.
    """
    numbers = sorted(
        int(match[1]) for key in tensors if (match := re.fullmatch(r"features\.(\d+)\.weight", key))
    )
    if any(key.endswith(".running_mean") for key in tensors):
        raise WeightsError(
            f"{source}: holds batch normalisation; take the weights of a network without it."
        )
    convs = description.convs
    if len(numbers) != len(convs):
        raise WeightsError(
            f"{source}: {len(numbers)} layers called features.N.weight, but {description.name} has "
            f"{len(convs)} convolutions; check `architecture`."
        )
    shapes = {name: tuple(p.shape) for name, p in Network(description).state_dict().items()}
    state = {}
    for number, conv in zip(numbers, convs, strict=True):
        for kind, group in (("weight", "weights"), ("bias", "biases")):
            key, name = f"features.{number}.{kind}", f"{group}.{conv.name}"
            if key not in tensors:
                raise WeightsError(f"{source}: {key} is missing.")
            if tuple(tensors[key].shape) != shapes[name]:
                raise WeightsError(
                    f"{source}: {key} has the shape {tuple(tensors[key].shape)}, but {conv.name} "
                    f"of {description.name} takes {shapes[name]}; check `architecture`."
                )
            if not (tensors[key].is_floating_point() and tensors[key].isfinite().all()):
                raise WeightsError(
                    f"{source}: {key} must be finite floating-point numbers, got "
                    f"{str(tensors[key].dtype).removeprefix('torch.')}, finite or not."
                )
            state[name] = tensors[key].float()
    return state


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in a .pth or .safetensors file; of a .pth never more than tensors is read.

    Raises:
        WeightsError: damaged, or something else than tensors by name.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # torchvision's oldest files are no zips, and can't be mapped into memory.
        mapped = zipfile.is_zipfile(path)
        with warnings.catch_warnings():  # torch warns of a pickle that it then refuses
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    # Damaged pickles fail in as many ways as there are bytes; to a user they are one.
    except Exception as error:
        if "weights_only" in str(error) or "Weights only" in str(error):
            reason = "it has more than tensors, or is damaged; preimage runs no code from a file"
        elif isinstance(error, SafetensorError | OSError):
            reason = str(error)
        else:
            reason = "it is damaged or truncated"
        raise WeightsError(f"{path}: can't be read ({reason}); use another copy.") from None
    is_named = isinstance(found, dict) and all(isinstance(v, Tensor) for v in found.values())
    if not is_named:
        raise WeightsError(f"{path}: not tensors by name, as `torch.save(model.state_dict())` has.")
    return dict(found)
