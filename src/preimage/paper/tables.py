"""The tables behind the pictures, as CSV files."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from preimage.data.records import write_atomically
from preimage.paper.curves import Curve


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """A CSV file with a heading. Returns its name."""

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    return write_atomically(path, write).name


def write_curves(path: Path, x: str, curves: Mapping[str, Curve], photos: int) -> str:
    """One row per curve and point: mean and standard deviation over networks. Returns its name."""
    rows = [
        {
            "curve": name,
            x: point,
            "mean": fmean(networks.values()),
            "std": stdev(networks.values()) if len(networks) > 1 else 0.0,
            "networks": len(networks),
            "photos": photos,
        }
        for name, curve in curves.items()
        for point, networks in curve.values.items()
    ]
    return write_rows(path, rows)
