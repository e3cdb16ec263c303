"""Only the largest magnitudes of each position are sent: no linear map, so a pass of its own."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from preimage.probing.capture import undisturbed
from preimage.probing.leakage import LeakagePoint
from preimage.probing.linear import LinearDecoder, LinearSums
from preimage.probing.linear_rung import HELD_BACK, Experiment, features_of

Maps = Float[Tensor, "N C h w"]


def top_magnitudes(
    model: nn.Module, experiment: Experiment, layer: str, counts: Sequence[int]
) -> list[LeakagePoint]:
    """How well photos can be read when each position sends only its `k` largest magnitudes.

    The others arrive as 0. A decoder is fitted to such features for each k, in one pass over the
    training photos, and scored in one pass over each set of photos. Which features are sent tells
    of the photo too, and a linear decoder does not read that.

    Args:
        layer: one of the experiment's targets; maps or tokens.
        counts: the numbers k; each is the level of its point.

    Raises:
        ValueError: the layer is no target, is a vector, or a count is below 1.
    """
    places = {t.name: t.placement for t in experiment.targets if t.placement}
    if layer not in places:
        raise ValueError(f"`layer` must be maps or tokens among {', '.join(places)}, got {layer}.")
    if min(counts, default=0) < 1:
        raise ValueError(f"`counts` must be one or more numbers from 1 on, got {tuple(counts)}.")
    alignment, form = places[layer].alignment, (experiment.window, experiment.positions)
    photos = experiment.photos
    with undisturbed(model), torch.no_grad():
        sums = {count: LinearSums(alignment, *form) for count in counts}
        done = 0
        for pixels, found in features_of(model, experiment, photos.training):
            held = [(done + i) % HELD_BACK == 1 for i in range(len(pixels))]
            for count, sum_ in sums.items():
                sum_.add(largest(found[layer], count), pixels, held)
            done += len(pixels)
        decoders = {count: sum_.solve() for count, sum_ in sums.items()}
        parts = (photos.held_out, photos.training)
        unseen, seen = (_errors(model, experiment, layer, decoders, part) for part in parts)
    return [LeakagePoint(float(count), unseen[count], seen[count]) for count in counts]


def largest(maps: Maps, count: int) -> Maps:
    """Maps of which each position keeps its `count` largest magnitudes; the rest is 0."""
    if count >= maps.shape[1]:
        return maps
    kept = maps.abs().topk(count, dim=1).indices
    return torch.zeros_like(maps).scatter_(1, kept, maps.gather(1, kept))


def _errors(
    model: nn.Module,
    experiment: Experiment,
    layer: str,
    decoders: dict[int, LinearDecoder],
    photos: Float[Tensor, "N 3 H W"],
) -> dict[int, float]:
    """Mean squared error per pixel value, not clipped."""
    totals = dict.fromkeys(decoders, 0.0)
    for pixels, found in features_of(model, experiment, photos):
        for count, decoder in decoders.items():
            output = decoder(largest(found[layer], count), experiment.photos.size)
            totals[count] += float((output - pixels).double().square().sum())
    return {count: total / photos.numel() for count, total in totals.items()}
