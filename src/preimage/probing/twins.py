"""The random twin: the same network with weights drawn again, as it was before training."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from preimage.data.checkpoints import digest
from preimage.network.build import Network
from preimage.network.laws import Law
from preimage.probing.capture import undisturbed

_BatchNorm = nn.modules.batchnorm._BatchNorm
Initialisation = Callable[[], nn.Module] | str | None


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

    def record(self) -> dict[str, Any]:
        """How it came about, as plain data, and which weights came out."""
        return {
            "weights": weights_hash(self.model),
            "seed": self.seed,
            "how": self.how,
            "redrawn": list(self.redrawn),
            "statistics": self.statistics,
        }


def weights_hash(model: nn.Module) -> str:
    """SHA-256 over a model's parameters."""
    return digest(dict(model.named_parameters()))


def random_twin(
    model: nn.Module,
    seed: int,
    inputs: Iterable[Tensor] | None = None,
    initialisation: Initialisation = None,
) -> Twin:
    """A twin of any module with weights drawn again; the model itself is left alone.

    Args:
        seed: of torch's generator, which is given back as it was.
        inputs: batches of model inputs on which batch normalisation's running mean and variance
            are estimated anew; without them they are 0 and 1.
        initialisation: a function that builds the untrained model, which is the truest; or a law
            such as `gaussian:fan-in` for the weights of convolutions and linear layers, their
            biases 0; or None: the model's own `init_weights` (timm, Hugging Face) where it has one,
            and else each module's `reset_parameters`. Parameters that these do not reach are drawn
            anew too: nothing trained survives in a twin.

    Raises:
        ValueError: the model has no parameters, the law does not exist, or the function builds a
            model of other parameters.
    """
    if not any(True for _ in model.parameters()):
        raise ValueError("the model has no parameters; it has no random twin.")
    redrawn: tuple[str, ...] = ()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if callable(initialisation):
            twin, how = _built(model, initialisation), "built anew"
        else:
            twin = copy.deepcopy(model)
            how = _initialise(twin)
            if initialisation is not None:
                _draw(twin, Law.parse(initialisation))
                how = f"{initialisation}, biases 0; elsewhere {how}"
            redrawn = _redraw_unchanged(twin, dict(model.named_parameters()))
    estimated = inputs is not None and any(isinstance(m, _BatchNorm) for m in twin.modules())
    if inputs is not None and estimated:
        estimate_statistics(twin, inputs)
    return Twin(twin.eval(), seed, how, redrawn, estimated)


def _built(model: nn.Module, make: Callable[[], nn.Module]) -> nn.Module:
    twin = make()
    shapes, wanted = (
        {name: tuple(value.shape) for name, value in m.named_parameters()} for m in (twin, model)
    )
    if shapes != wanted:
        other = next(name for name in {**wanted, **shapes} if shapes.get(name) != wanted.get(name))
        raise ValueError(
            f"`initialisation` builds a model that differs in {other}: {shapes.get(other)} there, "
            f"{wanted.get(other)} here."
        )
    return twin


@torch.no_grad()
def _draw(twin: nn.Module, law: Law) -> None:
    for module in twin.modules():
        if isinstance(module, nn.modules.conv._ConvNd | nn.Linear):
            _draw_layer(module.weight, module.bias, law)
        elif isinstance(module, Network):
            for conv in module.description.convs:
                bias = module.biases[conv.name] if conv.bias else None
                _draw_layer(module.weights[conv.name], bias, law, conv.slope)


def _draw_layer(weight: Tensor, bias: Tensor | None, law: Law, slope: float = 0.0) -> None:
    weight.copy_(law.sample(tuple(weight.shape), torch.default_generator, slope))
    if bias is not None:
        bias.zero_()


def _initialise(twin: nn.Module) -> str:
    for module in twin.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    if callable(getattr(twin, "_init_weights", None)) and hasattr(twin, "config"):  # Hugging Face
        for module in twin.modules():
            _forget_initialisation(module)
        twin.apply(twin._init_weights)  # type: ignore[arg-type]
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
