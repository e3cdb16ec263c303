"""What a layer's features lose, by layer (Figure 3): random against trained encoders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from preimage.decoders.evaluate import Evaluation
from preimage.scores.statistics import Interval, difference, mean_interval


@dataclass(frozen=True)
class Score:
    """One decoder on one set of photos: `values` is a metric's value of each photo."""

    encoder: str
    network: int
    layer: str
    method: str
    photos: str
    values: Mapping[str, list[float]]

    @classmethod
    def of(
        cls, encoder: str, network: int, layer: str, method: str, photos: str, found: Evaluation
    ) -> "Score":
        """The values of an evaluation."""
        metrics = ("mse", "psnr", "ssim", "feature_error")
        return cls(
            encoder,
            network,
            layer,
            method,
            photos,
            {metric: getattr(found, metric).tolist() for metric in metrics},
        )


@dataclass(frozen=True)
class Comparison:
    """Random less trained, in one metric at one layer: intervals over photos and over networks."""

    layer: str
    over_photos: Interval
    over_networks: Interval


class Scores:
    """All scores of a figure, and what one asks of them."""

    def __init__(self, scores: Sequence[Score]) -> None:
        self.scores = list(scores)

    def select(self, **words: Any) -> list[Score]:
        """Those with these words."""
        return [s for s in self.scores if all(getattr(s, k) == v for k, v in words.items())]

    def over_photos(self, metric: str, **words: Any) -> list[float]:
        """Each photo's value, averaged over the networks."""
        rows = [score.values[metric] for score in self.select(**words)]
        return [fmean(values) for values in zip(*rows, strict=True)]

    def over_networks(self, metric: str, **words: Any) -> list[float]:
        """Each network's value, averaged over the photos."""
        return [fmean(score.values[metric]) for score in self.select(**words)]

    def interval(self, metric: str, **words: Any) -> Interval:
        """Mean and 95 % interval over photos of the average over networks."""
        return mean_interval(self.over_photos(metric, **words))

    def compare(
        self, metric: str, layer: str, random: str, trained: str, **words: Any
    ) -> Comparison:
        """The random encoders less the trained ones, photo by photo and network by network."""
        a, b = ({"encoder": name, "layer": layer, **words} for name in (random, trained))
        photos = zip(self.over_photos(metric, **a), self.over_photos(metric, **b), strict=True)
        return Comparison(
            layer,
            mean_interval([x - y for x, y in photos]),
            difference(self.over_networks(metric, **a), self.over_networks(metric, **b)),
        )

    def gap_slope(
        self, metric: str, layers: Sequence[str], random: str, trained: str, **words: Any
    ) -> tuple[Interval, Interval]:
        """How much the gap grows a layer: least-squares slopes over photos, and over networks."""
        slopes = {
            name: (
                self._slopes(metric, layers, "over_photos", encoder=name, **words),
                self._slopes(metric, layers, "over_networks", encoder=name, **words),
            )
            for name in (random, trained)
        }
        photos = zip(slopes[random][0], slopes[trained][0], strict=True)
        return (
            mean_interval([x - y for x, y in photos]),
            difference(slopes[random][1], slopes[trained][1]),
        )

    def _slopes(self, metric: str, layers: Sequence[str], by: str, **words: Any) -> list[float]:
        columns = [getattr(self, by)(metric, layer=layer, **words) for layer in layers]
        centre = (len(layers) - 1) / 2
        norm = sum((x - centre) ** 2 for x in range(len(layers)))
        return [
            sum((x - centre) * value for x, value in enumerate(values)) / norm
            for values in zip(*columns, strict=True)
        ]
