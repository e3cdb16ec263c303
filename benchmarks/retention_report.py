"""Tables of what `benchmarks/retention.py` measured, in Markdown.

    python benchmarks/retention_report.py FILE.jsonl [--slope 0.2] [--one-class [--fan-in 27]]

For each ridge and width: the measured PSNR of the mean error over networks ± 95 %, and the expected
one: with classes of the last filters (`retention.mixture`), or with one class (`retention.width`)
and, of a single convolution, their lengths. *Chosen* is at the ridge that each network chose.

Then the measurements extrapolated to infinite width, next to the computed line: the ratio r of
measured to expected errors, as r + a/N + b/N² through all widths from `--least` on, weighted by the
networks' standard errors, r times the computed error. χ² is that fit's; below it the straight line.
"""

import argparse
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import torch

from preimage.retention.filters import FilterClasses
from preimage.retention.kernel_ridge import Problem
from preimage.retention.layer_retention import decibels
from preimage.retention.mixture import MixtureCurve
from preimage.retention.width import Radii, WidthCurve
from preimage.scores.statistics import t_quantile

Rows = list[dict[str, object]]


def at(rows: Rows, width: int) -> Rows:
    return [row for row in rows if row["width"] == width]


def measured(rows: Rows, width: int, ridge: str) -> list[float]:
    return [
        row["mse"] if ridge == "chosen" else row["by_ridge"][ridge]  # type: ignore[index, misc]
        for row in at(rows, width)
    ]


def shown(errors: list[float]) -> str:
    half = t_quantile(0.975, len(errors) - 1) * stdev(errors) / len(errors) ** 0.5
    return f"{decibels(fmean(errors)):.2f} ± {10 / math.log(10) * half / fmean(errors):.2f}"


@dataclass(frozen=True)
class Intercept:
    """r of r + a/N (+ b/N²), its standard error, and χ² with its degrees of freedom."""

    value: float
    stderr: float
    chi_square: float
    freedom: int


def intercept(widths: list[int], ratios: list[list[float]], powers: int) -> Intercept:
    """Weighted by the networks' standard errors."""
    n = 1 / np.array(widths, dtype=float)
    design = np.stack([n**power for power in range(powers)], 1)
    spread = np.array([stdev(part) / len(part) ** 0.5 for part in ratios])
    means = np.array([fmean(part) for part in ratios]) / spread
    scaled = design / spread[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled)
    value = covariance @ scaled.T @ means
    missed = float(np.square(means - scaled @ value).sum())
    return Intercept(value[0], covariance[0, 0] ** 0.5, missed, len(widths) - powers)


def curve_of(
    file: Path, slope: float = 0.2, one_class: bool = False, fan_in: int = 0, rank: int = 1024
) -> WidthCurve:
    """The expected curve of the kernel beside a file of measurements."""
    problem = Problem(**torch.load(file.with_suffix(".pt"), weights_only=True))
    if one_class:
        return WidthCurve(problem, Radii.of_gaussian(fan_in) if fan_in else Radii())
    return MixtureCurve(problem, FilterClasses(problem, slope), rank)


class Expected:
    """Expected errors, each computed once."""

    def __init__(self, curve: WidthCurve) -> None:
        self.curve = curve
        self.found: dict[tuple[int, str], float] = {}

    def __call__(self, width: int, ridge: str) -> float:
        """At a width and ridge."""
        if (width, ridge) not in self.found:
            self.found[width, ridge] = self.curve.mse(width, float(ridge))
        return self.found[width, ridge]

    def ratios(self, rows: Rows, width: int, ridge: str) -> list[float]:
        """Measured over expected errors, `chosen` at the ridge that each network chose."""
        own = [str(row["ridge"]) if ridge == "chosen" else ridge for row in at(rows, width)]
        errors = measured(rows, width, ridge)
        return [error / self(width, r) for error, r in zip(errors, own, strict=True)]


def extrapolated(ratios: list[list[float]], widths: list[int], powers: int, limit: float) -> str:
    found = intercept(widths, ratios, powers)
    half = 10 / math.log(10) * 1.96 * found.stderr / found.value
    fit = f"χ² {found.chi_square:.1f}/{found.freedom}"
    return f"{decibels(limit * found.value):.2f} ± {half:.2f}, {fit}"


def main(options: argparse.Namespace) -> None:
    rows = [json.loads(line) for line in options.file.read_text().splitlines()]
    curve = curve_of(options.file, options.slope, options.one_class, options.fan_in, options.rank)
    counts = Counter(row["width"] for row in rows)
    widths = sorted(width for width, count in counts.items() if width and count > 1)
    ridges = options.ridges
    expected = Expected(curve)
    heading = " | ".join(f"{ridge}, expected" for ridge in [*ridges, "chosen"])
    print(f"| width | networks | {heading} |")
    print("| ---: | ---: |" + " ---: |" * (len(ridges) + 1))
    for width in widths:
        cells = [
            f"{shown(measured(rows, width, ridge))}, {decibels(expected(width, ridge)):.2f}"
            for ridge in ridges
        ]
        chosen = measured(rows, width, "chosen")
        own = fmean(expected(width, str(r["ridge"])) for r in at(rows, width))
        cells.append(f"{shown(chosen)}, {decibels(own):.2f}")
        print("|", " | ".join([str(width), str(len(chosen)), *cells]), "|", flush=True)
    columns = [*ridges, "chosen"]
    limits = [measured(rows, 0, ridge)[0] for ridge in columns]
    print("| computed, ∞ | |", " | ".join(f"{decibels(limit):.2f}" for limit in limits), end=" ")
    print(f"at {rows[0]['ridge']:.0e} |")
    large = [width for width in widths if width >= options.least]
    for name, powers in (("r + a/N + b/N²", 3), ("r + a/N", 2)):
        cells = []
        for ridge, limit in zip(columns, limits, strict=True):
            ratios = [expected.ratios(rows, width, ridge) for width in large]
            cells.append(extrapolated(ratios, large, powers, limit))
        print(f"| {name}, N ≥ {large[0]} | |", " | ".join(cells), "|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--slope", type=float, default=0.2)
    parser.add_argument("--one-class", action="store_true")
    parser.add_argument("--fan-in", type=int, default=0)
    parser.add_argument("--rank", type=int, default=1024, help="eigenvectors; fewer are faster")
    parser.add_argument(
        "--ridges", nargs="+", default=["0.001", "0.0001", "1e-05", "1e-06", "1e-07"]
    )
    parser.add_argument("--least", type=int, default=64)
    main(parser.parse_args())
