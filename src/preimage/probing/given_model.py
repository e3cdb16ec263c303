"""What callers give as a model: any module, or the network of a description, a chain of modules."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.operations import Crop, Unpool
from preimage.probing.preprocessing import RAW, Preprocessing, find_preprocessing


class ModelError(ValueError):
    """A model that can't be had, in one line: which, why, and what to do."""


@dataclass(frozen=True)
class OpenModel:
    """A model, how it was made, and what it wants its pixels to be.

    Args:
        make: builds the same model untrained: what its random twins are. None where nothing tells.
        preprocessing: None where nothing tells it.
    """

    name: str
    model: nn.Module
    make: Callable[[], nn.Module] | None
    preprocessing: Preprocessing | None


def given_model(
    model: nn.Module, preprocessing: Preprocessing | None = None
) -> tuple[OpenModel, Preprocessing]:
    """A module as it is, or a `Network` as `open_network` has it; and the preprocessing.

    Args:
        preprocessing: what is found if not given.

    Raises:
        ModelError: a `Network` that is no encoder.
        ValueError: nothing tells the preprocessing.
    """
    if isinstance(model, Network):
        return (opened := open_network(model)), preprocessing or opened.preprocessing or RAW
    opened = OpenModel(type(model).__name__, model, None, preprocessing)
    return opened, preprocessing or find_preprocessing(model)


def open_network(network: Network) -> OpenModel:
    """A CNN of this package, each operation a module of its name.

    It takes pixels in [0, 255]; its random twins have weights of `gaussian:fan-in`.

    Raises:
        ModelError: it is no encoder, or has an operation of a name that no module can have.
    """
    description = network.description
    for op in description.operations:
        if isinstance(op, Unpool | Crop):
            raise ModelError(
                f"`model`: {op.name} enlarges or crops features; a probe takes an encoder alone."
            )
    return OpenModel(description.name, staged(network), untrained(description), RAW)


def untrained(description: Description) -> Callable[[], nn.Module]:
    """A function that draws the network of a description as a chain of its operations.

    It draws from torch's generator, as other libraries' constructors do.
    """

    def make() -> nn.Module:
        return staged(build(description, "gaussian:fan-in", seed=int(torch.randint(2**31, ()))))

    return make


def staged(encoder: Network) -> nn.Sequential:
    """An encoder as a chain of modules, one per operation and of its name, so that each has a hook.

    Plain convolutions throughout: Winograd's blocks would spread a pixel that is no number.

    Raises:
        ModelError: an operation has a name that no module can have.
    """
    stages = OrderedDict[str, nn.Module]()
    whole = encoder.state_dict()
    pairs = zip(encoder.description.operations, encoder.description.channels[:-1], strict=True)
    for operation, channels in pairs:
        stage = Network(Description(operation.name, (operation,), channels))
        stage.load_state_dict({key: whole[key] for key in stage.state_dict()})
        stage.fast = False
        stages[operation.name] = stage.eval()
    try:
        return nn.Sequential(stages)
    except KeyError as error:  # a dot, or what nn.Sequential has already
        raise ModelError(
            f"`model`: an operation can't become a module ({error.args[0]}); rename it."
        ) from None
