"""Scores of decoders photo by photo, and how encoders compare: over networks and over photos."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from preimage.decoders.evaluate import METRICS, Evaluation
from preimage.decoders.options import EncoderOptions
from preimage.paper.arms import Arm, Encoders
from preimage.paper.trainings import Trainings
from preimage.scores.statistics import Interval, difference, mean_interval, paired_difference

DCN, LEAST_SQUARES = METHODS = ("trained DCN", "least squares")
BASELINES = ("bicubic", "mean image")
PHOTOS = ("training", "held-out")


@dataclass(frozen=True)
class Score:
    """One decoder on one set of photos: `values` holds each metric's value of every photo."""

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
        values = {metric: getattr(found, metric).tolist() for metric in METRICS}
        return cls(encoder, network, layer, method, photos, values)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One mapping per photo, for a table."""
        for index in range(len(next(iter(self.values.values())))):
            yield {
                "encoder": self.encoder,
                "network": self.network,
                "layer": self.layer,
                "method": self.method,
                "photos": self.photos,
                "photo": index,
                **{metric: values[index] for metric, values in self.values.items()},
            }


@dataclass(frozen=True)
class Comparison:
    """One kind of encoder minus another: the same difference over photos and over networks."""

    over_photos: Interval
    over_networks: Interval


class Scores:
    """All scores of a figure, and what one asks of them.

    Keywords such as `encoder=…, layer=…` select the scores whose fields have these values.
    """

    def __init__(self, scores: Sequence[Score]) -> None:
        self.scores = list(scores)

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per decoder and photo, for a table."""
        return [row for score in self.scores for row in score.rows()]

    def select(self, **fields: Any) -> list[Score]:
        """The scores whose fields have these values."""
        return [s for s in self.scores if all(getattr(s, k) == v for k, v in fields.items())]

    def over_photos(self, metric: str, **fields: Any) -> list[float]:
        """Each photo's value, averaged over the networks."""
        rows = [score.values[metric] for score in self.select(**fields)]
        return [fmean(values) for values in zip(*rows, strict=True)]

    def over_networks(self, metric: str, **fields: Any) -> list[float]:
        """Each network's value, averaged over the photos."""
        return [fmean(score.values[metric]) for score in self.select(**fields)]

    def interval(self, metric: str, **fields: Any) -> Interval:
        """Mean and 95 % interval over photos of the average over networks."""
        return mean_interval(self.over_photos(metric, **fields))

    def num_photos(self, **fields: Any) -> dict[str, int]:
        """How many photos of each set were scored."""
        return {
            f"{photos.replace('-', '_')}_photos": len(
                self.over_photos("psnr", photos=photos, **fields)
            )
            for photos in PHOTOS
        }

    def held_out_gap(self, **fields: Any) -> Interval:
        """PSNR on held-out minus PSNR on training photos, by Welch's interval over photos."""
        training, held_out = (self.over_photos("psnr", photos=p, **fields) for p in PHOTOS)
        return difference(held_out, training)

    def compare(self, metric: str, first: str, second: str, **fields: Any) -> Comparison:
        """Encoders `first` minus encoders `second`: paired by photo, unpaired over networks."""
        a, b = ({"encoder": name, **fields} for name in (first, second))
        return Comparison(
            paired_difference(self.over_photos(metric, **a), self.over_photos(metric, **b)),
            difference(self.over_networks(metric, **a), self.over_networks(metric, **b)),
        )

    def compare_slopes(
        self, metric: str, layers: Sequence[str], first: str, second: str, **fields: Any
    ) -> Comparison:
        """How much steeper `first` changes per layer than `second`, by least-squares slopes."""
        a, b = ({"encoder": name, **fields} for name in (first, second))
        photos = (self.slopes(metric, layers, "photos", **fields) for fields in (a, b))
        networks = (self.slopes(metric, layers, "networks", **fields) for fields in (a, b))
        return Comparison(paired_difference(*photos), difference(*networks))

    def slopes(self, metric: str, layers: Sequence[str], over: str, **fields: Any) -> list[float]:
        """Change per layer of each photo (`over="photos"`) or network (`over="networks"`)."""
        values = {"photos": self.over_photos, "networks": self.over_networks}[over]
        columns = [values(metric, layer=layer, **fields) for layer in layers]
        return [slope(values) for values in zip(*columns, strict=True)]


def score_decoders(
    trainings: Trainings,
    kinds: Mapping[str, Sequence[Encoders]],
    arm: Callable[[EncoderOptions], Arm] = Arm,
) -> Scores:
    """Trains and fits what is missing, and scores it.

    Args:
        kinds: the encoders of each layer; the same kinds in the same order.
        arm: the training of an encoder's DCN.

    Raises:
        Incomplete: time was up.
    """
    found: list[Score] = []
    for index, kind in enumerate(next(iter(kinds.values()))):
        for number in range(len(kind.networks)):
            for layer, encoders in kinds.items():
                encoder = encoders[index].networks[number]
                found += _scores(trainings, kind.label, number, layer, arm(encoder))
    return Scores(found)


def _scores(trainings: Trainings, label: str, number: int, layer: str, arm: Arm) -> Iterator[Score]:
    inverters = {
        DCN: trainings.train(arm).inverter,
        LEAST_SQUARES: trainings.fit(arm.encoder),
    }
    for method, inverter in inverters.items():
        for photos, found in trainings.scores(inverter).items():
            yield Score.of(label, number, layer, method, photos, found["decoder"])
            if method == DCN and number == 0:  # the same for every network
                for name in BASELINES:
                    yield Score.of(label, number, layer, name, photos, found[name])


def slope(values: Sequence[float]) -> float:
    """The least-squares slope of values at 0, 1, 2, …"""
    centre = (len(values) - 1) / 2
    norm = sum((x - centre) ** 2 for x in range(len(values)))
    return sum((x - centre) * value for x, value in enumerate(values)) / norm
