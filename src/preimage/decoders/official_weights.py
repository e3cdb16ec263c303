"""Torchvision's weight files: downloaded once into torch's cache, checked at every load."""

import hashlib
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import torch

#: As torchvision's documentation gives them; the last eight digits of a name are the first of the
#: file's SHA-256. vgg16 has 528 MB, AlexNet 233 MB.
ADDRESSES = {
    "vgg16": "https://download.pytorch.org/models/vgg16-397923af.pth",
    "torchvision_alexnet": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
}
_TIMEOUT = 30.0  # seconds without a byte
_WAYS_ON = "give a file that you have as `weights`, or random weights such as gaussian:fan-in"


class WeightsError(ValueError):
    """Weights are not available; one line says which ones, why, and what to do."""


def cached_file(architecture: str) -> Path:
    """Where torchvision's file is, or would be, in torch's cache."""
    name = Path(urlsplit(ADDRESSES[architecture]).path).name
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def official_file(architecture: str) -> tuple[Path, str]:
    """Torchvision's file in torch's cache ($TORCH_HOME/hub/checkpoints), and its SHA-256.

    It is downloaded if need be. Its checksum is verified each time, which torch.hub does only
    after a download.

    Raises:
        WeightsError: torchvision has no weights for it; no network; or a wrong checksum.
    """
    if architecture not in ADDRESSES:
        raise WeightsError(
            f"torchvision has no weights for {architecture}; set `architecture` to "
            f"{' or '.join(ADDRESSES)}, {_WAYS_ON}."
        )
    path = cached_file(architecture)
    if not path.exists():
        _download(ADDRESSES[architecture], path)
    found = file_sha256(path)
    if not found.startswith(_hash_prefix(path)):
        raise WeightsError(
            f"{path.name}: its SHA-256 begins with {found[:8]}, where {_hash_prefix(path)} is "
            f"expected; delete {path} to download it again, or {_WAYS_ON}."
        )
    return path, found


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        WeightsError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: can't be read ({error.strerror}).") from None


def _hash_prefix(path: Path) -> str:
    return str(re.findall(r"-([0-9a-f]{8,})\.", path.name)[-1])


def _download(address: str, path: Path) -> None:
    watched = sys.stderr.isatty()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _timeout(_TIMEOUT):
            torch.hub.download_url_to_file(address, str(path), _hash_prefix(path), watched)
    except (OSError, HTTPException, RuntimeError) as error:
        raise WeightsError(
            f"{path.name}: can't be downloaded from {address} to {path} ({_reason(error)}); "
            f"nothing was kept. Fetch it where there is a network and put it there, or {_WAYS_ON}."
        ) from None


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """The time that a new connection waits for a byte; torch.hub would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        error.close()  # it is the server's answer, too
    elif isinstance(error, URLError):
        return str(error.reason)
    elif isinstance(error, RuntimeError):
        return "wrong checksum: the connection broke, or the address serves another file"
    return " ".join(str(error).split()) or type(error).__name__
