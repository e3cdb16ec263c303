"""Results of a sweep: the rows of its cells, their averages, and how they show themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from preimage.network.spec import ReconstructConfig
from preimage.notebook.frames import frame
from preimage.notebook.view import Drawn
from preimage.sweeps.cells import OPTIONS
from preimage.sweeps.levels import Levels, levels, varying
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Row

#: The scores that can be averaged.
METRICS = ("ssim", "pearson", "mse", "psnr")


@dataclass(repr=False)
class Results(Drawn):
    """The rows of the cells that are done.

    Attributes:
        cells: all that were asked for, in order.
        rows: of the finished ones, one per photo.
        failed: why cells failed, by their `label`.
    """

    cells: list[ReconstructConfig]
    photos: PackedPhotos
    rows: dict[ReconstructConfig, list[Row]]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """How many cells are not done."""
        return len(self.cells) - len(self.rows)

    def average(
        self, config: ReconstructConfig, metric: str, absolute: bool = False
    ) -> float | None:
        """The average of a score, or of its absolute value, over photos; None if not done."""
        rows = self.rows.get(config)
        if rows is None:
            return None
        return fmean(abs(row[metric]) if absolute else row[metric] for row in rows)

    def levels(self, option: str, metric: str = "ssim", absolute: bool = False) -> Levels:
        """A score over one option: the mean over networks at each of its values.

        Args:
            option: such as `width` or `layer`; each combination of the others is a line.
            metric: ssim, pearson, mse or psnr.
            absolute: of its absolute value.

        Raises:
            ValueError: no such option or score.
        """
        if metric not in METRICS:
            raise ValueError(f"`metric` must be one of {', '.join(METRICS)}, got {metric!r}.")
        return levels(self.cells, lambda cell: self.average(cell, metric, absolute), option)

    def records(self) -> Iterator[dict[str, Any]]:
        """The options, the photo and its scores, for every finished cell."""
        for config in self.cells:
            options = {name: getattr(config, name) for name in OPTIONS}
            for row in self.rows.get(config, ()):
                yield {**options, **row}

    def to_frame(self) -> Any:
        """One row per cell and photo, as a pandas data frame."""
        return frame(self.records())

    def __repr__(self) -> str:
        varied = varying(self.cells)
        what = f"; {', '.join(varied)} var{'y' if len(varied) > 1 else 'ies'}" if varied else ""
        failed = f"; {len(self.failed)} failed" if self.failed else ""
        cells = f"{len(self.rows)} of {len(self.cells)} cells, {len(self.photos)} photos"
        return f"Results({cells}{what}{failed})"

    def _rows(self) -> list[dict[str, Any]]:
        """A row per combination: means over networks with their 95 % intervals."""
        option = self._option()
        found = {metric: self.levels(option, metric) for metric in ("ssim", "pearson")}
        rows = []
        for label, line in found["ssim"].items():
            for value, interval in line.items():
                scores = {name: format(found[name][label][value], ".3f") for name in found}
                row = {option: str(value), "others": label, **scores, "networks": interval.n}
                rows.append({name: cell for name, cell in row.items() if cell != ""})
        return rows

    def _draw(self, ax: Any) -> None:
        from preimage.notebook.figures import draw_levels

        option = self._option()
        lines = self.levels(option)
        draw_levels(
            ax,
            {
                label: {value: (one.mean, one.half_width) for value, one in line.items()}
                for label, line in lines.items()
            },
            logarithmic=option in ("width", "kernel_size"),
        )
        ax.set(xlabel=option.replace("_", " "), ylabel="SSIM, mean over networks ± 95 %")

    def _option(self) -> str:
        """What varies, the width first."""
        varied = varying(self.cells)
        return "width" if "width" in varied or not varied else varied[0]

    def shortfall(self) -> str:
        """What is missing and what failed, in one line; empty if nothing is missing."""
        if not self.missing:
            return ""
        text = f"{self.missing} of {len(self.cells)} cells are missing"
        if self.failed:
            cell, error = next(iter(self.failed.items()))
            text += f", {len(self.failed)} of them failed repeatedly, such as {cell}: {error}"
        return text + " (the same command goes on from here)."
