"""The device to compute on, and how fast the processor is."""

import threading
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

    There torch rounds what they multiply to TF32, of 11 binary digits: 10 to 15 times as fast where
    layers are wide, but with a thousand times the error (benchmarks/RESULTS-gpu.md). torch.compile
    does not see this.
    """
    if device.type != "cuda" or torch.compiler.is_compiling():
        yield
        return
    _TF32.forbid()
    try:
        yield
    finally:
        _TF32.restore()


class _Tf32:
    """torch's setting, which is the process's: off from the first thread in to the last out."""

    def __init__(self) -> None:
        self.cudnn: Any = torch.backends.cudnn
        self.lock, self.inside = threading.Lock(), 0
        self.before: tuple[bool | None, str] = (None, "")

    def forbid(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = self._allowed(), self.cudnn.conv.fp32_precision
                if self.before[0] is not None:
                    self.cudnn.allow_tf32 = False
                self.cudnn.conv.fp32_precision = "ieee"
            self.inside += 1

    def restore(self) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                allowed, self.cudnn.conv.fp32_precision = self.before
                if allowed is not None:
                    self.cudnn.allow_tf32 = allowed

    def _allowed(self) -> bool | None:
        """torch's older word for it; it cannot be read where the newer ones were given."""
        try:
            return bool(self.cudnn.allow_tf32)
        except RuntimeError:
            return None


_TF32 = _Tf32()


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
