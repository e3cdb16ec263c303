"""What a probe will take: measured on its first photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from torch import nn

from preimage.data.photos import Photos
from preimage.probing.climb import Climb, costly, piece_name
from preimage.probing.costly_rungs import CostlyRungs, Rung
from preimage.probing.enough_memory import probe_bytes
from preimage.probing.given_model import given_model
from preimage.probing.inversion import TOTAL_VARIATIONS
from preimage.probing.linear_rung import Experiment, probe_network
from preimage.probing.networks import TwinOptions, network_name
from preimage.probing.photos import ProbePhotos, open_probe_photos
from preimage.probing.preprocessing import Preprocessing
from preimage.probing.rungs import DcnOptions, InversionOptions, RungResult
from preimage.probing.store import Store
from preimage.probing.targets import Target, find_targets

_PROCESS = 450e6  # bytes of a process that has imported torch and a library of models


@dataclass(frozen=True)
class ProbeCost:
    """How large a probe is, and the seconds that what is left of it will take on this machine.

    Args:
        networks: the model and its twins.
        linear: seconds of the linear rung.
        memory: bytes of the process with the model, a twin, the photos and the sums of the fits.
        rungs: seconds of each costly rung; of the inversion at the most, since it stops early.
    """

    targets: Sequence[Target]
    networks: int
    training: int
    held_out: int
    linear: float
    memory: float
    rungs: Mapping[str, float] = field(default_factory=dict)
    disk: float = 0.0

    @property
    def seconds(self) -> float:
        """Of all rungs."""
        return self.linear + sum(self.rungs.values())


def probe_cost(
    model: nn.Module,
    photos: Photos,
    layers: str | Sequence[str] = "auto",
    *,
    preprocessing: Preprocessing,
    held_out: Photos | None = None,
    twins: int = 5,
    window: int = 1,
    batch_size: int = 8,
    rungs: Sequence[str] = ("linear",),
    dcn: DcnOptions | None = None,
    inversion: InversionOptions | None = None,
    costly_twins: int = 1,
    out: str | Path | None = None,
) -> ProbeCost:
    """Times two batches of photos to fit to and two to score; the other arguments are `probe`'s.

    Of the costly rungs it times some steps of each layer, on the same photos. What the folder `out`
    has is not counted.

    Raises:
        LayerError: a layer can't be probed.
        ValueError: too few photos.
    """
    model = given_model(model, preprocessing)[0].model
    what = Climb(costly(rungs, dcn, inversion), min(costly_twins, twins))
    opened = open_probe_photos(photos, held_out, preprocessing.size)
    targets = find_targets(model, layers, preprocessing, opened.training)
    size = max(2, min(batch_size, len(opened.training) // 2, len(opened.held_out) // 2))
    few = ProbePhotos(opened.training[: 2 * size], opened.held_out[: 2 * size])
    experiment = Experiment(targets, preprocessing, few, window, size)
    store = Store(out)
    left = sum(not store.has(network_name(index)) for index in (None, *range(twins)))
    costs = {
        rung: networks * _rung_seconds(model, experiment, options, opened) if networks else 0.0
        for rung, options in what.rungs.items()
        for networks in [_missing(what, rung, targets, store)]
    }
    return ProbeCost(
        targets,
        twins + 1,
        len(opened.training),
        len(opened.held_out),
        left * _linear_seconds(model, experiment, opened) if left else 0.0,
        _memory(model, experiment, opened),
        costs,
    )


def _linear_seconds(model: nn.Module, experiment: Experiment, photos: ProbePhotos) -> float:
    """Of all layers of one network."""
    times = [perf_counter()]
    probe_network(
        model,
        experiment,
        on_photos=lambda count: times.append(perf_counter()),
    )
    passes = [late - early for early, late in pairwise(times)]
    # The first batch to score waits for the decoders to be solved.
    solving = max(passes[2] - passes[-1], 0.0)
    training, held = (
        len(part) / experiment.batch_size for part in (photos.training, photos.held_out)
    )
    return solving + training * passes[1] + held * passes[-1]


def _missing(what: Climb, rung: str, targets: Sequence[Target], store: Store) -> float:
    """How many networks' layers there are to do, as a multiple of one network's."""
    pieces = [
        piece_name(index, rung, target.name, what.rungs[rung])
        for index in (None, *range(what.twins))
        for target in targets
    ]
    return sum(not store.has(piece) for piece in pieces) / max(len(targets), 1)


def _memory(model: nn.Module, experiment: Experiment, photos: ProbePhotos) -> float:
    model_bytes = sum(p.numel() * p.element_size() for p in model.parameters())
    pixels = (photos.training, photos.held_out)
    photo_bytes = sum(part.numel() * part.element_size() for part in pixels)
    return _PROCESS + 2 * model_bytes + photo_bytes + probe_bytes(experiment)


def _rung_seconds(
    model: nn.Module, experiment: Experiment, options: Rung, photos: ProbePhotos
) -> float:
    """Of all layers of one network."""
    network = CostlyRungs(model, experiment, None, TwinOptions())

    def run(options: Rung) -> list[RungResult]:
        found = (network.run(target, options) for target in experiment.targets)
        return [result for result in found if result is not None]

    if isinstance(options, DcnOptions):
        few, more = (run(replace(options, steps=steps)) for steps in (1, 4))
        grow = len(photos.training) / len(experiment.photos.training)
        return sum(
            a.seconds * grow + max(b.seconds - a.seconds, 0.0) / 3 * options.steps
            for a, b in zip(few, more, strict=True)
        )
    batch = min(options.batch_size, len(experiment.photos.held_out))
    pilot = replace(options, photos=batch, batch_size=batch, restarts=0, total_variation=0.05)
    few, more = (run(replace(pilot, steps=steps)) for steps in (1, 6))
    descents = -(-min(options.photos, len(photos.held_out)) // batch) * (1 + options.restarts)
    descents += 0 if options.total_variation is not None else len(TOTAL_VARIATIONS)
    return sum(
        a.seconds + descents * options.steps * _per_evaluation(a, b)
        for a, b in zip(few, more, strict=True)
    )


def _per_evaluation(few: RungResult, more: RungResult) -> float:
    """Seconds, from two descents of different lengths."""
    evaluations = more.notes["evaluations"] - few.notes["evaluations"]
    return max(more.seconds - few.seconds, 0.0) / max(evaluations, 1.0)
