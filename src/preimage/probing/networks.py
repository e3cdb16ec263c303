"""Every network of a probe, the trained one and its random twins: each computed once and kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from preimage.network.laws import Law
from preimage.probing.linear_rung import Experiment, LayerResult, probe_network
from preimage.probing.store import Store
from preimage.probing.twins import Initialisation, Twin, random_twin, weights_hash

#: Held-out photos of which the trained network and the first twin keep what comes back.
PICTURES = 6


@dataclass(frozen=True)
class TwinOptions:
    """How random twins are drawn (`random_twin`).

    Args:
        seed: twin k has seed `seed` + k.
        statistics: estimate batch normalisation's statistics on the training photos.

    Raises:
        ValueError: no such law.
    """

    seed: int = 0
    initialisation: Initialisation = None
    statistics: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.initialisation, str):
            try:
                Law.parse(self.initialisation)
            except ValueError as error:
                message = str(error).replace("`weights`", "`initialisation`")
                raise ValueError(message) from None


@dataclass(frozen=True)
class NetworkResult:
    """One network's layers; `made` says how a twin came about, and is empty for the trained one."""

    layers: dict[str, LayerResult]
    made: dict[str, Any] = field(default_factory=dict)


def every_network(
    model: nn.Module,
    experiment: Experiment,
    twins: int,
    options: TwinOptions,
    store: Store,
    on_photos: Callable[[int], object],
) -> Iterator[NetworkResult]:
    """The trained network first, then so many twins; what the store has is not computed again.

    Raises:
        ValueError: a twin has the weights of another network, so that it is no draw.
    """
    known = {weights_hash(model): "the model itself"} if twins else {}
    for index in (None, *range(twins)):
        name = network_name(index)
        found = store.load(name, NetworkResult)
        if found is None:
            found = _network(model, experiment, index, options, on_photos, known)
            store.save(name, found)
        else:
            on_photos(len(experiment.photos))
        if weights := found.made.get("weights"):
            known[weights] = name
        yield found


def network_name(index: int | None) -> str:
    """The name that a network is kept under: that of a twin, or of the trained one."""
    return "trained" if index is None else f"twin-{index}"


def _network(
    model: nn.Module,
    experiment: Experiment,
    index: int | None,
    options: TwinOptions,
    on_photos: Callable[[int], object],
    known: Mapping[str, str],
) -> NetworkResult:
    if index is None:
        found = probe_network(
            model, experiment, controls=True, pictures=PICTURES, on_photos=on_photos
        )
        return NetworkResult(found)
    twin = twin_of(model, experiment, index, options)
    made = twin.record()
    if other := known.get(made["weights"]):
        raise ValueError(
            f"`initialisation` gives twin {index} the weights of {other}: it must draw them from "
            "torch's generator, and neither seed it nor load a file."
        )
    pictures = 0 if index else PICTURES
    found = probe_network(twin.model, experiment, pictures=pictures, on_photos=on_photos)
    return NetworkResult(found, made)


def twin_of(model: nn.Module, experiment: Experiment, index: int, options: TwinOptions) -> Twin:
    """Twin `index` of a probe, drawn anew: the same each time."""
    inputs = _inputs(experiment) if options.statistics else None
    return random_twin(model, options.seed + index, inputs, options.initialisation)


def _inputs(experiment: Experiment) -> list[Tensor]:
    # Batches of 16 or more, so that their statistics are those of the photos.
    parts = torch.split(experiment.photos.training[:64], max(experiment.batch_size, 16))
    return [experiment.preprocessing(part) for part in parts]
