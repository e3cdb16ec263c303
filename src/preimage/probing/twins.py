"""The random twin: the same network with weights drawn again, as it was before training."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from preimage.probing.capture import undisturbed

_BatchNorm = nn.modules.batchnorm._BatchNorm


@dataclass(frozen=True)
class Twin:
    """A re-initialised copy of a model, and how it came about.

    Args:
        seed: of the draw.
        how: the initialisation used.
        redrawn: parameters that it did not reach and that were drawn from a normal law with the
            trained values' mean and standard deviation (position embeddings, class tokens).
        statistics: whether batch normalisation's statistics were estimated on photos.
    """

    model: nn.Module
    seed: int
    how: str
    redrawn: tuple[str, ...]
    statistics: bool


def random_twin(model: nn.Module, seed: int, inputs: Iterable[Tensor] | None = None) -> Twin:
    """A twin of any module, by its own initialisation; the model itself is left alone.

    The model's own `init_weights` (timm, Hugging Face) where it has one, and else each module's
    `reset_parameters`. Parameters that this does not change are drawn anew too: weights of a
    trained network must not survive in its twin.

    Args:
        seed: of torch's generator, which is given back as it was.
        inputs: batches of model inputs on which batch normalisation's running mean and variance
            are estimated anew; without them they are 0 and 1.

    Raises:
        ValueError: the model has no parameters.
    """
    if not any(True for _ in model.parameters()):
        raise ValueError("the model has no parameters; it has no random twin.")
    twin = copy.deepcopy(model)
    before = {name: value.detach().clone() for name, value in twin.named_parameters()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        how = _initialise(twin)
        redrawn = _redraw_unchanged(twin, before)
    batch_norms = [m for m in twin.modules() if isinstance(m, _BatchNorm)]
    estimated = inputs is not None and bool(batch_norms)
    if inputs is not None and batch_norms:
        estimate_statistics(twin, inputs)
    return Twin(twin.eval(), seed, how, redrawn, estimated)


def _initialise(twin: nn.Module) -> str:
    for module in twin.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    initialise = getattr(twin, "_init_weights", None)
    if callable(initialise) and getattr(twin, "config", None) is not None:  # Hugging Face
        for module in twin.modules():
            _forget_initialisation(module)
        twin.apply(initialise)
        return "reset_parameters, then the model's _init_weights"
    own = getattr(twin, "init_weights", None)
    if callable(own):  # timm
        own()
        return "reset_parameters, then the model's init_weights"
    return "reset_parameters"


def _forget_initialisation(module: nn.Module) -> None:
    """Hugging Face marks what it has initialised or loaded, and skips it afterwards."""
    for owner in (module, *module.parameters(recurse=False)):
        if getattr(owner, "_is_hf_initialized", False):
            setattr(owner, "_is_hf_initialized", False)  # noqa: B010


@torch.no_grad()
def _redraw_unchanged(twin: nn.Module, before: dict[str, Tensor]) -> tuple[str, ...]:
    redrawn = []
    for name, value in twin.named_parameters():
        constant = value.numel() < 2 or value.max() == value.min()
        if torch.equal(value, before[name]) and not constant:
            value.copy_(torch.randn(value.shape) * before[name].std() + before[name].mean())
            redrawn.append(name)
    return tuple(redrawn)


@torch.no_grad()
def estimate_statistics(model: nn.Module, inputs: Iterable[Tensor]) -> None:
    """Batch normalisation's running mean and variance, averaged over batches of inputs."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [module.momentum for module in norms]
    with undisturbed(model):
        for module in norms:
            module.reset_running_stats()
            module.momentum = None  # a plain average over the batches
            module.train()
        for batch in inputs:
            model(batch)
        for module, momentum in zip(norms, momenta, strict=True):
            module.momentum = momentum
