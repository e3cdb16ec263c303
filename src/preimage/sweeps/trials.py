"""Trials, each one draw of all weights seen by every photo, and means over trials."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from preimage.data.photo import Photo
from preimage.network.spec import ReconstructConfig
from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.pair import RandomPair
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


def by_encoder(configs: Iterable[ReconstructConfig]) -> list[list[ReconstructConfig]]:
    """The configs in groups that share a random CNN, in the order of their first config."""
    groups: dict[ReconstructConfig, list[ReconstructConfig]] = defaultdict(list)
    for config in configs:
        groups[replace(config, unpool="zeros", head="conv")].append(config)
    return list(groups.values())


def run_trials(configs: Iterable[ReconstructConfig], photos: Sequence[Photo]) -> Iterator[Trial]:
    """A trial for each config; configs that share a CNN compute it once.

    Raises:
        ValueError: an option does not fit, or a photo is too small.
    """
    for group in by_encoder(configs):
        pair = RandomPair(*group)
        for config, results in zip(group, pair.each(photos), strict=True):
            yield Trial(config, results)


def summarise(trials: Sequence[Trial], metric: str, absolute: bool = False) -> Interval:
    """The mean over networks of a score's average over photos."""
    return mean_interval([trial.mean(metric, absolute) for trial in trials])
