"""What a probe will take: measured on its first photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

from torch import nn

from preimage.data.photos import Photos
from preimage.probing.linear_rung import Experiment, probe_network
from preimage.probing.photos import ProbePhotos, open_probe_photos
from preimage.probing.preprocessing import Preprocessing
from preimage.probing.targets import Target, find_targets


@dataclass(frozen=True)
class ProbeCost:
    """How large a probe is, and the seconds that it will take on this machine.

    Args:
        networks: the model and its twins.
    """

    targets: Sequence[Target]
    networks: int
    training: int
    held_out: int
    seconds: float


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
) -> ProbeCost:
    """Times two batches of photos to fit to and two to score; the other arguments are `probe`'s.

    Raises:
        LayerError: a layer can't be probed.
        ValueError: too few photos.
    """
    opened = open_probe_photos(photos, held_out, preprocessing.size)
    targets = find_targets(model, layers, preprocessing, opened.training)
    size = max(2, min(batch_size, len(opened.training) // 2, len(opened.held_out) // 2))
    few = ProbePhotos(opened.training[: 2 * size], opened.held_out[: 2 * size])
    times = [perf_counter()]
    probe_network(
        model,
        Experiment(targets, preprocessing, few, window, size),
        on_photos=lambda count: times.append(perf_counter()),
    )
    passes = [late - early for early, late in pairwise(times)]
    training, held = len(opened.training), len(opened.held_out)
    # The first batch to score waits for the decoders to be solved.
    solving = max(passes[2] - passes[-1], 0.0)
    each = solving + training / size * passes[1] + held / size * passes[-1]
    return ProbeCost(targets, twins + 1, training, held, each * (twins + 1))
