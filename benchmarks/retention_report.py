"""Tables of what `benchmarks/retention.py` measured, in Markdown.

    python benchmarks/retention_report.py FILE.jsonl [--fan-in 27]

For each ridge and width: the measured PSNR of the mean error over networks ± 95 %, and the expected
one (`retention.width`); then the measurements extrapolated to infinite width, next to the computed
line. Two extrapolations through the widths from `--least` on, least squares weighted by the
networks' spread: errors as m + a/N + b/N²; and the ratio of measured to expected errors as r + c/N,
r times the computed error.
"""

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import torch

from preimage.retention.kernel_ridge import Problem
from preimage.retention.layer_retention import decibels
from preimage.retention.width import Radii, WidthCurve
from preimage.scores.statistics import t_quantile

Rows = list[dict[str, object]]


def measured(rows: Rows, width: int, ridge: str) -> list[float]:
    return [
        row["mse"] if ridge == "chosen" else row["by_ridge"][ridge]  # type: ignore[index, misc]
        for row in rows
        if row["width"] == width
    ]


def shown(errors: list[float]) -> str:
    half = t_quantile(0.975, len(errors) - 1) * stdev(errors) / len(errors) ** 0.5
    return f"{decibels(fmean(errors)):.2f} ± {10 / math.log(10) * half / fmean(errors):.2f}"


def intercept(widths: list[int], errors: list[list[float]], powers: int) -> tuple[float, float]:
    """m and its standard error, of m + a/N (+ b/N²), weighted by the networks' spread."""
    n = 1 / np.array(widths, dtype=float)
    design = np.stack([n**power for power in range(powers)], 1)
    means = np.array([fmean(e) for e in errors])
    spread = np.array([stdev(e) / len(e) ** 0.5 for e in errors])
    scaled = design / spread[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled)
    value = covariance @ scaled.T @ (means / spread)
    return float(value[0]), float(covariance[0, 0] ** 0.5)


def by_ratio(
    curve: WidthCurve, ridge: float, widths: list[int], errors: list[list[float]]
) -> tuple[float, float]:
    """The computed error times r, where measured over expected errors are r + c/N."""
    ratios = [
        [error / curve.mse(width, ridge) for error in part]
        for width, part in zip(widths, errors, strict=True)
    ]
    limit = curve.mse(math.inf, ridge)
    r, stderr = intercept(widths, ratios, 2)
    return limit * r, limit * stderr


def in_decibels(value: float, stderr: float) -> str:
    if value <= 0:
        return "below 0"
    return f"{decibels(value):.2f} ± {10 / math.log(10) * 1.96 * stderr / value:.2f}"


def main(options: argparse.Namespace) -> None:
    rows = [json.loads(line) for line in options.file.read_text().splitlines()]
    curve = WidthCurve(
        Problem(**torch.load(options.file.with_suffix(".pt"), weights_only=True)),
        Radii.of_gaussian(options.fan_in) if options.fan_in else Radii(),
    )
    counts = Counter(row["width"] for row in rows)
    widths = sorted(width for width, count in counts.items() if width and count > 1)
    ridges = [ridge for ridge in rows[0]["by_ridge"] if rows[0]["by_ridge"][ridge] is not None]
    if len(ridges) > 5:
        ridges = ["0.001", "0.0001", "1e-05", "1e-06", "1e-07"]
    print("| width | networks | " + " | ".join(f"{r}, expected" for r in ridges) + " | chosen |")
    print("| ---: | ---: |" + " ---: |" * (len(ridges) + 1))
    for width in widths:
        cells = [
            f"{shown(measured(rows, width, ridge))}, {decibels(curve.mse(width, float(ridge))):.2f}"
            for ridge in ridges
        ]
        chosen = measured(rows, width, "chosen")
        print("|", " | ".join([str(width), str(len(chosen)), *cells, shown(chosen)]), "|")
    limits = [decibels(rows[0]["by_ridge"][ridge]) for ridge in ridges]
    print("| computed, ∞ | |", " | ".join(f"{limit:.2f}" for limit in limits), end=" | ")
    print(f"{decibels(rows[0]['mse']):.2f} |")
    large = [width for width in widths if width >= options.least]
    lines: dict[str, list[str]] = {"m + a/N + b/N²": [], "by ratio": []}
    for ridge in ridges:
        errors = [measured(rows, width, ridge) for width in large]
        lines["m + a/N + b/N²"].append(in_decibels(*intercept(large, errors, 3)))
        lines["by ratio"].append(in_decibels(*by_ratio(curve, float(ridge), large, errors)))
    errors = [measured(rows, width, "chosen") for width in large]
    lines["m + a/N + b/N²"].append(in_decibels(*intercept(large, errors, 3)))
    lines["by ratio"].append("–")
    for name, cells in lines.items():
        print(f"| {name}, N ≥ {large[0]} | |", " | ".join(cells), "|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--fan-in", type=int, default=0)
    parser.add_argument("--least", type=int, default=128)
    main(parser.parse_args())
