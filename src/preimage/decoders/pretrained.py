"""Pre-trained encoders: torchvision's official weight files, or files in torchvision's layout.

Nothing of torchvision is imported. Its files hold `features.N.weight` and `.bias`, N counting
convolutions, activations and pools; the description has the same convolutions in the same order.
"""

import hashlib
import re
import zipfile
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from preimage.data.progress import download_bar
from preimage.data.records import write_atomically
from preimage.network.architectures import architecture as architecture_named
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.network.spec import IMAGENET_MEAN, IMAGENET_STD

#: Where torchvision's weights lie, as its documentation gives them; the last eight digits of a name
#: are the first of the file's SHA-256. vgg16 has 528 MB, AlexNet 233 MB.
ADDRESSES = {
    "vgg16": "https://download.pytorch.org/models/vgg16-397923af.pth",
    "torchvision_alexnet": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
}
_CHUNK = 2**20  # bytes
_TIMEOUT = 30  # seconds without a byte
_WAYS_ON = "--weights FILE for one you have, or random weights such as --weights gaussian:fan-in"


class WeightsError(ValueError):
    """Weights are not available; one line says which ones, why, and what to do."""


def pretrained_encoder(
    weights: str, architecture: str, layer: str, *, pooled: bool = False
) -> tuple[Network, dict[str, Any]]:
    """A pre-trained encoder up to a layer, for RGB pixels in [0, 255], and where it comes from.

    Its description has biases, ReLU, and ImageNet's normalisation as its first operation. vgg16's
    pools are in ceil mode as in the paper's Table 1, torchvision's in floor mode. Where every pool
    takes in an even size (224, not 227) the features are torchvision's; else ours keep a last row
    and column that floor mode drops, and differ from torchvision's near them.

    Args:
        weights: `imagenet` for torchvision's file, downloaded once into torch's own cache; or the
            path of a .pth or .safetensors file in torchvision's layout.

    Raises:
        WeightsError: no such file, no network, a wrong checksum, a damaged file, or layers that
            don't fit the architecture.
        ValueError: no such architecture or layer.
    """
    whole = pretrained_description(architecture)
    encoder = whole.cut(layer, pooled=pooled)
    origin: dict[str, Any] = {"weights": weights, "layout": "torchvision"}
    if weights == "imagenet":
        path, sha256 = official_file(architecture)
        origin |= {"url": ADDRESSES[architecture]}
    else:
        path = Path(weights)
        if not path.is_file():
            raise WeightsError(
                f"{path}: no such file; --weights takes a law such as gaussian:fan-in, imagenet, "
                "or a file."
            )
        origin["weights"] = path.name
        sha256 = _sha256(path)
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


# --- files --------------------------------------------------------------------------------------


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
            f"{len(convs)} convolutions; check --architecture."
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
                    f"of {description.name} takes {shapes[name]}; check --architecture."
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


def cached_file(architecture: str) -> Path:
    """Where torchvision's file is, or would be, in torch's cache."""
    name = Path(urlsplit(ADDRESSES[architecture]).path).name
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def official_file(architecture: str) -> tuple[Path, str]:
    """torchvision's file in torch's cache ($TORCH_HOME/hub/checkpoints), and its SHA-256.

    It is downloaded if need be, and its checksum verified each time.

    Raises:
        WeightsError: torchvision has no weights for it; no network; or a wrong checksum.
    """
    if architecture not in ADDRESSES:
        raise WeightsError(
            f"torchvision has no weights for {architecture}; choose --architecture "
            f"{' or '.join(ADDRESSES)}, {_WAYS_ON}."
        )
    address, path = ADDRESSES[architecture], cached_file(architecture)
    if not path.exists():
        try:
            write_atomically(path, lambda temporary: _download(address, temporary, path.name))
        except (OSError, HTTPException) as error:
            reason = " ".join(_reason(error).split())
            raise WeightsError(
                f"{path.name}: can't be downloaded from {address} to {path} ({reason}). Fetch it "
                f"where there is a network and put it there, or use {_WAYS_ON}."
            ) from None
    return path, _check(path, path.name, f"delete {path} to download it again, or use {_WAYS_ON}")


def _download(address: str, path: Path, name: str) -> None:
    with urlopen(address, timeout=_TIMEOUT) as response, path.open("wb") as file:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        with download_bar(name, total) as advance:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                advance(len(chunk))
        if total is not None and file.tell() != total:
            raise OSError(f"the connection broke after {file.tell():,} of {total:,} bytes")
    _check(path, name, "the address serves another file; nothing was kept")


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        error.close()  # it is the server's answer, too
    elif isinstance(error, URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _check(path: Path, name: str, advice: str) -> str:
    expected = re.findall(r"-([0-9a-f]{8,})\.", name)[-1]
    found = _sha256(path)
    if not found.startswith(expected):
        raise WeightsError(
            f"{name}: its SHA-256 begins with {found[:8]}, where {expected} is expected; {advice}."
        )
    return found


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: can't be read ({error.strerror}).") from None
