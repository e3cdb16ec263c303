"""Figure 5 shows, for each photo and width, the network whose SSIM is nearest the mean."""

import csv
from pathlib import Path
from statistics import fmean

import pytest


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_network_nearest_the_mean_is_shown(section4) -> None:
    finding = section4("fig5")["fig5"]
    shown = rows(section4.folder / "fig5.csv")
    assert len(shown) == 4 * 2 * 3  # heads and unpoolings, photos, widths
    table = rows(section4.folder / "width" / "table.csv")
    for row in shown:
        same = ("photo", "head", "unpool", "width")
        scores = {
            other["network_number"]: float(other["ssim"])
            for other in table
            if all(other[name] == row[name] for name in same)
        }
        mean = fmean(scores.values())
        assert float(row["mean_ssim"]) == pytest.approx(mean)
        assert row["network"] == min(scores, key=lambda number: abs(scores[number] - mean))
        # Drawn alone it is the network of the sweep, to float32's rounding.
        assert float(row["ssim"]) == pytest.approx(scores[row["network"]], rel=1e-4, abs=1e-5)
    assert finding.pictures == tuple(
        f"fig5_{head}_{unpool}.png" for head in ("conv", "mean") for unpool in ("zeros", "nearest")
    )


def test_the_verdict_is_that_of_figure_8a(section4) -> None:
    finding, growth = section4("fig5")["fig5"], section4("fig8")["fig8a"]
    assert finding.numbers["conv_zeros"] == growth.numbers["zeros"]
    assert finding.verdict == growth.verdict
