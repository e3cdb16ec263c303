import csv
import json
from pathlib import Path

import pytest
from command import run


def test_reproduce_writes_figures_and_numbers(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("reproduce", "theory", "--data", photo, "--networks", "2", "--out", str(out)) == 0
    names = {path.name for path in out.iterdir()}
    figures = {f"theory_{name}.png" for name in ("angles", "kernel_size", "grids")}
    names_of = ("5.1", "5.1_constant", "5.2", "5.3", "5.4", "5.4_size", "V")
    theorems = {f"theorem{name}.json" for name in names_of}
    assert names == figures | theorems | {"theory_angles.csv", "theory_kernel_size.csv"}
    assert json.loads((out / "theorem5.4.json").read_text())["verdict"] == "holds"
    with (out / "theory_angles.csv").open() as file:
        assert len({row["width"] for row in csv.DictReader(file)}) == 7


def test_strict_takes_all_photos_or_none(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "bad.png").write_bytes(b"no image")
    (tmp_path / "train" / "good.png").write_bytes(Path(photo).read_bytes())
    words = ["--train", str(tmp_path / "train"), "--held-out", photo, "--side", "32", "--strict"]
    assert run("reproduce", "fig2b", *words, "--out", str(tmp_path / "out")) == 2
    assert "bad.png: not an image that Pillow can read; --strict" in capsys.readouterr().err
