import csv
from pathlib import Path

import pytest

from preimage.paper.curves import Curve
from preimage.paper.tables import write_curves, write_rows


def test_curves_row_by_row(tmp_path: Path) -> None:
    curve = Curve("c", {4: {0: 0.1, 1: 0.3}, 8: {0: 0.5}})
    assert write_curves(tmp_path / "a.csv", "width", {"mine": curve}, 7) == "a.csv"
    with (tmp_path / "a.csv").open(newline="") as file:
        four, eight = csv.DictReader(file)
    assert {k: four[k] for k in ("curve", "width", "networks", "photos")} == {
        "curve": "mine",
        "width": "4",
        "networks": "2",
        "photos": "7",
    }
    assert float(four["mean"]) == pytest.approx(0.2)
    assert float(four["std"]) == pytest.approx(0.02**0.5)
    assert float(eight["std"]) == 0


def test_rows_have_a_heading(tmp_path: Path) -> None:
    write_rows(tmp_path / "b.csv", [{"x": 1, "y": "a,b"}])
    assert (tmp_path / "b.csv").read_text() == 'x,y\n1,"a,b"\n'
