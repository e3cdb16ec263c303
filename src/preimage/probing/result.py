"""What a probe found: PSNR per layer, for the network and its random twins, and what it decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import Tensor

from preimage.data.records import write_json
from preimage.probing.bands import BandReport
from preimage.probing.controls import usable_bits
from preimage.probing.features import Layout
from preimage.probing.leakage import LeakageCurve
from preimage.probing.packing import plain
from preimage.probing.verdict import Verdict, half_width_at, over_draws
from preimage.scores.statistics import Interval, mean_interval


@dataclass(frozen=True)
class LayerReport:
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


@dataclass(frozen=True)
class ProbeResult:
    """What each layer remembers of the photo. In a notebook it shows itself as a table.

    Args:
        mean_image: PSNR of the training photos' mean image, per held-out photo.
        record: model, photos, preprocessing, twins, versions and scoring convention.
        photos: the first held-out photos, whose reconstructions the layers keep.
        mean_image_other: as `mean_image`, per photo of another domain.
    """

    layers: list[LayerReport]
    mean_image: list[float]
    record: dict[str, Any]
    photos: list[Tensor]
    mean_image_other: list[float] = field(default_factory=list)

    def __getitem__(self, name: str) -> LayerReport:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(
            f"{name!r} was not probed; there are {', '.join(x.name for x in self.layers)}"
        )

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per layer: the numbers of the table."""
        floor = fmean(self.mean_image)
        rows = []
        for layer in self.layers:
            twin, verdict = layer.twin_psnr, layer.verdict(len(self.layers))
            rows.append(
                {
                    "layer": layer.name,
                    "features": str(layer.layout),
                    "psnr": layer.psnr.mean,
                    "psnr_half_width": layer.psnr.half_width,
                    "twin_psnr": None if twin is None else twin.mean,
                    "twin_half_width": None if twin is None else twin.half_width,
                    "difference": None if verdict is None else verdict.over_photos.mean,
                    "over_photos": None
                    if verdict is None
                    else half_width_at(verdict.over_photos, verdict.confidence),
                    "over_draws": None
                    if verdict is None
                    else half_width_at(verdict.over_draws, verdict.confidence),
                    "verdict": None if verdict is None else verdict.word,
                    "usable_bits": usable_bits(layer.psnr.mean, floor),
                    "mean_image": floor,
                    **{name: fmean(values) for name, values in layer.floors.items()},
                    "ceiling": fmean(layer.ceiling) if layer.ceiling else None,
                    "ridge": layer.ridge,
                }
            )
        return rows

    def save(self, path: str | Path) -> Path:
        """Writes the numbers (`.json`).

        Raises:
            ValueError: another ending.
            OSError: the folder can't be written to.
        """
        path = Path(path)
        if path.suffix == ".json":
            return write_json(path, self.to_dict())
        raise ValueError(f"`path` must end in .json, got {path}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the rows, every value per photo and the record, without pictures."""
        layers = [replace(layer, pictures=[], twin_pictures=[]) for layer in self.layers]
        whole: dict[str, Any] = plain(replace(self, layers=layers, photos=[]))
        return {"table": plain(self.rows()), **whole}

    @property
    def table(self) -> Any:
        """The rows as a pandas data frame.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        return pandas.DataFrame(self.rows())

    def __str__(self) -> str:
        from preimage.data.tables import text_table

        heading = ("layer", "features", "PSNR (dB)", "twins", "difference", "verdict", "bits")
        rows = []
        for layer, row in zip(self.layers, self.rows(), strict=True):
            verdict = layer.verdict(len(self.layers))
            rows.append(
                (
                    layer.name,
                    str(layer.layout),
                    f"{layer.psnr:.2f}",
                    "" if layer.twin_psnr is None else f"{layer.twin_psnr:.2f}",
                    "" if verdict is None else f"{verdict.over_photos:+.2f}",
                    row["verdict"] or "",
                    f"{row['usable_bits']:.2f}",
                )
            )
        return text_table(heading, rows)

    __repr__ = __str__
