import csv
import json
from pathlib import Path

from command import run


def test_reproduce_writes_figures_and_numbers(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("reproduce", "theory", "--data", photo, "--networks", "2", "--out", str(out)) == 0
    names = {path.name for path in out.iterdir()}
    figures = {f"theory_{name}.png" for name in ("angles", "kernel_size", "grids")}
    theorems = {f"theorem{name}.json" for name in ("5.2", "5.3", "5.4", "5.4_size", "V")}
    assert names == figures | theorems | {"theory_angles.csv", "theory_kernel_size.csv"}
    assert json.loads((out / "theorem5.4.json").read_text())["verdict"] == "holds"
    with (out / "theory_angles.csv").open() as file:
        assert len({row["width"] for row in csv.DictReader(file)}) == 7
