"""The device to compute on."""

import torch


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
