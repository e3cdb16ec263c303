"""What a probe found of one layer: PSNR per photo, of the network and of its random twins."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from statistics import fmean
from typing import Any

from torch import Tensor

from preimage.data.photo import clipped_image
from preimage.notebook.view import Shown, Tile
from preimage.probing.bands import BandReport
from preimage.probing.correlations import CorrelationReport
from preimage.probing.features import Layout
from preimage.probing.leakage import LeakageCurve
from preimage.probing.rung_report import RungReport
from preimage.probing.verdict import Verdict, over_draws
from preimage.scores.statistics import Interval, mean_interval


@dataclass(frozen=True, repr=False)
class LayerReport(Shown):
    """One layer: values are PSNR in dB per held-out photo.

    Args:
        trained: of the network as it was given.
        twins: of each random twin.
        floors: of what knows nothing of the layer (`bicubic` at its resolution), and of features
            that are not the photo's.
        ceiling: of the best linear decoder of as many numbers per block; empty where the layer's
            rank is no limit.
        pictures: what comes back of the first photos, RGB in [0, 255].
        twin_pictures: the same from the first twin; empty without twins.
        other: of the network, on photos of another domain by the same decoders; empty without.
        other_twins: the same of each twin.
        leakage: where the probe was asked for it.
        twin_leakage: the same of each twin.
        bands: variance retained by frequency and colour, where the probe was asked for it.
        correlations: with the picture's components, likewise; None for vectors.
        rungs: the DCN and inversion rungs, those that the probe was asked for.
    """

    name: str
    layout: Layout
    stride: int | None
    how: str
    trained: list[float]
    twins: list[list[float]]
    floors: Mapping[str, list[float]]
    ceiling: list[float]
    ridge: float
    pictures: list[Tensor]
    twin_pictures: list[Tensor] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    other_twins: list[list[float]] = field(default_factory=list)
    leakage: LeakageCurve | None = None
    twin_leakage: list[LeakageCurve] = field(default_factory=list)
    bands: BandReport | None = None
    correlations: CorrelationReport | None = None
    rungs: Mapping[str, RungReport] = field(default_factory=dict)

    def __repr__(self) -> str:
        twins = "" if self.twin_psnr is None else f", twins {self.twin_psnr:.2f}"
        return f"LayerReport({self.name}, {self.layout}: PSNR {self.psnr:.2f} dB{twins})"

    def _tiles(self) -> list[Tile]:
        """What comes back of the first photos, each above the same from a random twin."""
        named = ((self.pictures, ""), (self.twin_pictures, ", random twin"))
        return [
            Tile(clipped_image(picture.float()), f"photo {number}{which}")
            for pictures, which in named
            for number, picture in enumerate(pictures, start=1)
        ]

    def _rows(self) -> list[dict[str, Any]]:
        """A row per held-out photo."""
        twins = [fmean(values) for values in zip(*self.twins, strict=True)]
        return [
            {"photo": number, "psnr": psnr, "twins": twin}
            for number, (psnr, twin) in enumerate(zip_longest(self.trained, twins), start=1)
        ]

    @property
    def psnr(self) -> Interval:
        """Mean over photos with its 95 % interval."""
        return mean_interval(self.trained)

    @property
    def twin_psnr(self) -> Interval | None:
        """Mean over draws of each twin's mean over photos; None without twins."""
        return mean_interval([fmean(values) for values in self.twins]) if self.twins else None

    def verdict(self, layers: int = 1) -> Verdict | None:
        """Trained minus twins, at a confidence of 1 − 0.05 / `layers`; None without twins."""
        if not self.twins:
            return None
        of_twins = [fmean(values) for values in zip(*self.twins, strict=True)]
        over_photos = mean_interval([a - b for a, b in zip(self.trained, of_twins, strict=True)])
        trained = fmean(self.trained)
        draws = [trained - fmean(values) for values in self.twins]
        return Verdict(over_photos, over_draws(draws), 1 - 0.05 / layers)

    def without_pictures(self) -> "LayerReport":
        """The numbers alone."""
        none: dict[str, Any] = {"pictures": [], "twin_pictures": []}
        rungs = {name: replace(rung, **none) for name, rung in self.rungs.items()}
        return replace(self, rungs=rungs, **none)
