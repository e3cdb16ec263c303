"""Trials, each one draw of all weights seen by every photo, and means over trials."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from preimage.data.photo import Photo
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import Size, least_size
from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.pair import ONE_CNN, RandomPair
from preimage.sweeps.reconstruction import Reconstruction


@dataclass(frozen=True)
class Trial:
    """One random network (`config.network_number`) and its reconstruction of each photo."""

    config: ReconstructConfig
    reconstructions: list[Reconstruction]

    def mean(self, metric: str, absolute: bool = False) -> float:
        """The average of a score over the photos, or of its absolute value."""
        values = (getattr(result, metric) for result in self.reconstructions)
        return fmean(abs(value) if absolute else value for value in values)


def by_encoder(
    configs: Iterable[ReconstructConfig], sizes: Iterable[Size] = ()
) -> list[list[ReconstructConfig]]:
    """The configs in groups that share a random CNN, in the order of their first config.

    Layers of one CNN are one group, but for those of a simplified one, whose image goes straight to
    the layer.

    Args:
        sizes: of the photos; layers that they are too small for are groups of their own.
    """
    least = min((min(size) for size in sizes), default=None)
    sides: dict[ReconstructConfig, int] = {}  # the least that a CNN can take
    groups: dict[tuple[ReconstructConfig, bool], list[ReconstructConfig]] = defaultdict(list)
    for config in configs:
        layer = config.layer if config.simplified != "no" else ONE_CNN["layer"]
        cnn = replace(config, **{**ONE_CNN, "layer": layer})
        one = replace(cnn, layer=config.layer, network_number=0)
        if least is not None and one not in sides:
            sides[one] = least_size(config.encoder())
        groups[cnn, least is not None and sides[one] > least].append(config)
    return list(groups.values())


def run_trials(configs: Iterable[ReconstructConfig], photos: Sequence[Photo]) -> Iterator[Trial]:
    """A trial for each config; configs that share a CNN compute it once.

    Raises:
        ValueError: an option does not fit, or a photo is too small.
    """
    sizes = {(photo.pixels.shape[-2], photo.pixels.shape[-1]) for photo in photos}
    for group in by_encoder(configs, sizes):
        pair = RandomPair(*group)
        for config, results in zip(group, pair.each(photos), strict=True):
            yield Trial(config, results)


def summarise(trials: Sequence[Trial], metric: str, absolute: bool = False) -> Interval:
    """The mean over networks of a score's average over photos."""
    return mean_interval([trial.mean(metric, absolute) for trial in trials])
