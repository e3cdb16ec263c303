import json
from pathlib import Path

from command import run


def test_reproduce_writes_figures_and_numbers(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("reproduce", "theory", "--data", photo, "--networks", "2", "--out", str(out)) == 0
    names = {path.name for path in out.iterdir()}
    figures = {f"theory_{name}.png" for name in ("angles", "kernel_size", "grids")}
    theorems = {f"theorem5.{number}.json" for number in (2, 3, 4)}
    assert names == figures | theorems | {"theory_numbers.json"}
    assert json.loads((out / "theorem5.4.json").read_text())["verdict"] == "agrees"
    numbers = json.loads((out / "theory_numbers.json").read_text())
    assert len(numbers["two_layers"]["widths"]) == 7
