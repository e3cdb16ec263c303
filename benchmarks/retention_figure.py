"""The figure of docs/retention.md: measured networks, the expected curve, the computed limit.

    python benchmarks/retention_figure.py --out docs/pictures/retention.png \
        'TITLE=FILE.jsonl' ...

One panel per file of `benchmarks/retention.py`.
"""

import argparse
import json
import math
from pathlib import Path
from statistics import fmean, stdev

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from retention_report import curve_of

from preimage.retention.layer_retention import decibels
from preimage.scores.statistics import t_quantile

RIDGES = {"0.001": "#4c78a8", "0.0001": "#e45756", "1e-05": "#54a24b"}


def draw(axis: Axes, title: str, file: Path) -> None:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    curve = curve_of(file, rank=384)  # enough at these ridges: 0.02 dB
    widths = sorted({row["width"] for row in rows} - {0})
    for ridge, colour in RIDGES.items():
        expected = [decibels(curve.mse(width, float(ridge))) for width in widths]
        axis.plot(widths, expected, color=colour)
        axis.axhline(decibels(rows[0]["by_ridge"][ridge]), color=colour, ls=":", lw=1)
        for width in widths:
            errors = [row["by_ridge"][ridge] for row in rows if row["width"] == width]
            half = t_quantile(0.975, len(errors) - 1) * stdev(errors) / len(errors) ** 0.5
            share = 10 / math.log(10) * half / fmean(errors)
            axis.errorbar(
                width, decibels(fmean(errors)), share, fmt="o", color=colour, ms=4, capsize=2, lw=1
            )
        axis.plot([], [], "o-", color=colour, ms=4, label=f"ridge {float(ridge):.0e}")
    axis.set_xscale("log", base=2)
    axis.set_xticks(widths, [str(width) for width in widths], rotation=40, fontsize=8)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("channels of every layer")
    axis.spines[["top", "right"]].set_visible(False)


def main(options: argparse.Namespace) -> None:
    count = len(options.panels)
    rows = -(-count // 2)
    figure = Figure(figsize=(9.2, 3.7 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for axis in axes[count:]:
        axis.set_axis_off()
    for axis, panel in zip(axes[:count], options.panels, strict=True):
        title, file = panel.split("=")
        draw(axis, title, Path(file))
    for axis in axes[::2]:
        axis.set_ylabel("PSNR, dB")
    axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(options.out, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panels", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    main(parser.parse_args())
