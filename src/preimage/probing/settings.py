"""What a probe's numbers depend on, as plain data: the fingerprint of its folder."""

import hashlib
import re
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from preimage.data.checkpoints import digest
from preimage.probing.linear_rung import Experiment
from preimage.probing.networks import TwinOptions
from preimage.probing.packing import plain
from preimage.probing.twins import Initialisation
from preimage.scores.metrics import COLOUR

#: Raised when the same settings give other numbers than before.
VERSION = 3


def settings(model: nn.Module, experiment: Experiment, twins: TwinOptions) -> dict[str, Any]:
    """Plain data that is equal where every number is; how many twins there are is not in it."""
    return {
        "version": VERSION,
        "model": fingerprint(model),
        "layers": plain(experiment.targets),
        "preprocessing": plain(experiment.preprocessing),
        "photos": experiment.photos.record(),
        "window": experiment.window,
        "positions": experiment.positions,
        "components": experiment.components,
        "leakage": experiment.leakage,
        "bands": experiment.bands,
        "batch_size": experiment.batch_size,
        "selectors": sorted(experiment.selectors or ()),
        "seed": twins.seed,
        "initialisation": _initialisation(twins.initialisation),
        "twin_statistics": twins.statistics,
        "convention": asdict(COLOUR),
    }


def fingerprint(model: nn.Module) -> str:
    """SHA-256 over a model's parameters and buffers, and its modules as they print themselves.

    A `Network` prints its operations.
    """
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    structure = re.sub(r" at 0x[0-9a-f]+", "", repr(model))  # of functions, where they lie
    return hashlib.sha256(f"{structure}\0{digest(tensors)}".encode()).hexdigest()


def _initialisation(initialisation: Initialisation) -> str | None:
    """A law's name; for a function, the hash of the model that it builds."""
    if not callable(initialisation):
        return initialisation
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return fingerprint(initialisation())
