"""What a probe found: a row per layer, every value per photo, and the record."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from torch import Tensor

from preimage.data.tables import text_table
from preimage.notebook.view import Drawn
from preimage.probing.controls import usable_bits
from preimage.probing.infinite_width import InfiniteWidth, infinite_width_table
from preimage.probing.layer_report import LayerReport
from preimage.probing.packing import plain
from preimage.probing.rung_report import rung_table
from preimage.probing.verdict import half_width_at


@dataclass(frozen=True, repr=False)
class ProbeNumbers(Drawn):
    """Numbers and pictures of a probe, as a table and as plain data.

    Args:
        mean_image: PSNR of the training photos' mean image, per held-out photo.
        record: model, photos, preprocessing, twins, versions and scoring convention.
        photos: the first held-out photos, whose reconstructions the layers keep.
        mean_image_other: as `mean_image`, per photo of another domain.
        infinite_width: layer → the line at infinite width; empty where it was not asked for.
    """

    layers: list[LayerReport]
    mean_image: list[float]
    record: dict[str, Any]
    photos: list[Tensor]
    mean_image_other: list[float] = field(default_factory=list)
    infinite_width: Mapping[str, InfiniteWidth] = field(default_factory=dict)

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

    def rung_rows(self) -> list[dict[str, Any]]:
        """One mapping per layer and rung above the linear one that the probe was asked for."""
        count = len(self.layers)
        return [rung.row(x.name, count) for x in self.layers for rung in x.rungs.values()]

    def infinite_width_rows(self) -> list[dict[str, Any]]:
        """One mapping per layer, where the line at infinite width was asked for."""
        return [found.row(name) for name, found in self.infinite_width.items()]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the rows, every value per photo and the record, without pictures."""
        layers = [layer.without_pictures() for layer in self.layers]
        whole: dict[str, Any] = plain(replace(self, layers=layers, photos=[]))
        line = plain(self.infinite_width_rows())
        whole.pop("infinite_width")
        return {
            "table": plain(self.rows()),
            "rungs": plain(self.rung_rows()),
            **({"infinite_width": line} if line else {}),
            **whole,
        }

    @property
    def table(self) -> Any:
        """The rows as a pandas data frame.

        Raises:
            ImportError: pandas is not installed.
        """
        return self.to_frame()

    def __str__(self) -> str:
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
        more = infinite_width_table(self.infinite_width_rows())
        return text_table(heading, rows) + rung_table(self.rung_rows()) + more

    def __repr__(self) -> str:
        words = Counter(row["verdict"] for row in self.rows() if row["verdict"])
        verdicts = "".join(f"; {word}: {count}" for word, count in words.items())
        return f"ProbeResult({len(self.layers)} layers, {len(self.mean_image)} photos{verdicts})"

    def _rows(self) -> list[dict[str, Any]]:
        return self.rows()
