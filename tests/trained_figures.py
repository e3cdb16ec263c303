"""What the tests of figures with trained decoders share: options, their table, naive statistics."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from unchecked import unchecked

from preimage.paper.finding import Finding
from preimage.paper.options import FigureOptions, TrainingSet
from preimage.paper.registry import run
from preimage.scores.statistics import Interval

Values = Sequence[float] | np.ndarray


class Workplace:
    """Photos, two trained encoders, and a folder in which figures share their trainings."""

    def __init__(self, photos: Path, trained: Sequence[Path], out: Path) -> None:
        self.photos, self.trained, self.out = photos, tuple(map(str, trained)), out

    def options(self, figure: str, **changes: Any) -> FigureOptions:
        """Four steps of crops of 64×64, two networks per point, a fiftieth of the width."""
        training = {
            "train": str(self.photos / "train"),
            "held_out": str(self.photos / "held_out"),
            "trained": self.trained,
            "side": 64,
            "steps": 4,
            "batch_size": 2,
            "width_factor": 0.02,
            "photos": 3,
        }
        return FigureOptions(
            **{
                "figure": figure,
                "networks": 2,
                "out": str(self.out),
                "device": "cpu",
                "training": TrainingSet(**training),
                **changes,
            }
        )

    def run(self, figure: str) -> tuple[dict[str, Finding], list[dict[str, str]]]:
        """The findings by name, and the table behind them."""
        with unchecked():  # each part has checked tests of its own
            findings = {f.claim.name: f for f in run(self.options(figure))}
        with (self.out / f"{figure}.csv").open(encoding="utf-8") as file:
            return findings, list(csv.DictReader(file))


def welch(a: Values, b: Values) -> tuple[float, float]:
    """Mean and half-width of Welch's 95 % interval of mean(a) − mean(b), by its formula."""
    parts = [np.var(values, ddof=1) / len(values) for values in (a, b)]
    degrees = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (a, b), strict=True)
    )
    half_width = stats.t.ppf(0.975, degrees) * np.sqrt(sum(parts))
    return float(np.mean(a) - np.mean(b)), float(half_width)


def paired(a: Values, b: Values) -> tuple[float, float]:
    """Mean and half-width of the 95 % interval of the mean of a − b, by its formula."""
    gaps = np.subtract(a, b)
    half_width = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps))
    return float(gaps.mean()), float(half_width)


def picture_means(rows: list[dict[str, str]]) -> dict[tuple[str, str], np.ndarray]:
    """(row, column) → PSNR of each network, averaged over photos."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        cell = found.setdefault((row["row"], row["column"]), {})
        cell.setdefault(row["network"], []).append(float(row["psnr"]))
    return {
        key: np.array([np.mean(psnr) for psnr in networks.values()])
        for key, networks in found.items()
    }


def parts(number: object) -> tuple[float, float]:
    """Mean and half-width of a finding's number."""
    assert isinstance(number, Interval)
    return number.mean, number.half_width
