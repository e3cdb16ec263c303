"""The costly rungs of a probe, DCN and inversion: each network, rung and layer computed once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from torch import nn

from preimage.probing.costly_rungs import CostlyRungs, Rung
from preimage.probing.linear_rung import Experiment
from preimage.probing.networks import TwinOptions
from preimage.probing.rungs import DcnOptions, InversionOptions, RungResult
from preimage.probing.store import Store

#: Layer → the result of one rung on one network.
Found = dict[str, RungResult]


@dataclass(frozen=True)
class Climb:
    """Which costly rungs a probe runs, and on how many twins.

    Args:
        rungs: `dcn` and `inversion` with their options.
        twins: the first twins that go through them, beside the trained network.
    """

    rungs: Mapping[str, Rung] = field(default_factory=dict)
    twins: int = 1


def climb(
    model: nn.Module, experiment: Experiment, what: Climb, options: TwinOptions, store: Store
) -> dict[str, list[Found]]:
    """Rung → results of the trained network, then of its first twins; what is stored is reused.

    Raises:
        LayerError: a layer passes no gradient back to the photo, or its features are not finite.
        ArithmeticError: a training does not converge.
    """
    found: dict[str, list[Found]] = {rung: [] for rung in what.rungs}
    for index in (None, *range(what.twins)):
        network = CostlyRungs(model, experiment, index, options)
        for rung, chosen in what.rungs.items():
            layers: Found = {}
            for target in experiment.targets:
                piece = piece_name(index, rung, target.name, chosen)
                result = store.load(piece, RungResult)
                if result is None and (result := network.run(target, chosen)) is not None:
                    store.save(piece, result)
                if result is not None:
                    layers[target.name] = result
            found[rung].append(layers)
    return found


def piece_name(index: int | None, rung: str, layer: str, options: Rung) -> str:
    """The name of a stored piece: another one for other options."""
    key = hashlib.sha256(json.dumps(asdict(options), sort_keys=True).encode()).hexdigest()[:8]
    return f"{'trained' if index is None else f'twin-{index}'}-{rung}-{layer}-{key}"


def costly(
    rungs: Sequence[str], dcn: DcnOptions | None, inversion: InversionOptions | None
) -> dict[str, Rung]:
    """The rungs above the linear one that are named, with their options.

    Raises:
        ValueError: an unknown rung, or no linear one, from which the others start.
    """
    known: dict[str, Rung] = {
        "dcn": dcn or DcnOptions(),
        "inversion": inversion or InversionOptions(),
    }
    unknown = [name for name in rungs if name not in ("linear", *known)]
    if unknown or "linear" not in rungs:
        raise ValueError(
            f"`rungs` must name linear and, besides it, any of {', '.join(known)}; got "
            f"{', '.join(rungs) or 'none'}."
        )
    return {name: options for name, options in known.items() if name in rungs}
