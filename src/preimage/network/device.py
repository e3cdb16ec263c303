"""The device to compute on, and how fast the processor is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F


def resolve_device(name: str) -> torch.device:
    """The device called cpu, cuda, or auto: a GPU if there is one.

    Raises:
        ValueError: another name, or cuda without a CUDA device.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("`device` is cuda, but torch sees no CUDA device here; use cpu or auto.")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda"):
        raise ValueError(f"`device` must be auto, cpu or cuda, got {name!r}.")
    return torch.device(name)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Convolutions of float32 numbers in float32 on a GPU, too.

    There torch rounds what they multiply to TF32, of 11 binary digits: ten times as fast, but with
    a thousand times the error (benchmarks/RESULTS-gpu.md). torch.compile does not see this.
    """
    if device.type != "cuda" or torch.compiler.is_compiling():
        yield
        return
    cudnn: Any = torch.backends.cudnn
    convolutions = cudnn.conv
    before = convolutions.fp32_precision
    convolutions.fp32_precision = "ieee"
    try:
        yield
    finally:
        convolutions.fp32_precision = before


@torch.no_grad()
def convolution_rate() -> float:
    """FLOP per second of a convolution from 64 to 64 channels on the processor, just timed.

    It takes 50 ms. Larger networks are about as fast, smaller ones several times slower.
    """
    channels, side = 64, 56
    photo, kernels = torch.ones(1, channels, side, side), torch.ones(channels, channels, 3, 3)
    flops = 2 * 9 * channels**2 * side**2
    seconds = []
    for _ in range(4):  # the first warms up, and the fastest is the least disturbed
        start = time.perf_counter()
        F.conv2d(photo, kernels, padding=1)
        seconds.append(time.perf_counter() - start)
    return flops / max(min(seconds), 1e-9)
