"""The figures of Section 4 at a size that takes seconds: 40 pixels, narrow networks, threads."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from preimage.app.cli.main import main
from preimage.paper import angle_theorems, figure_sweep, kernel_size, layers, registry, width
from preimage.sweeps import run as run_module
from preimage.sweeps.engine import Backend


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_sweep, "SIZE", 40)
    monkeypatch.setattr(figure_sweep, "PHOTOS", {"quick": 2, "paper": 50})
    monkeypatch.setattr(width, "WIDTHS", {"quick": (2, 4, 8), "paper": (2, 4)})
    monkeypatch.setattr(kernel_size, "KERNEL_SIZES", (3, 7, 15))
    monkeypatch.setattr(run_module, "open_backend", lambda *_: Backend(ThreadPoolExecutor(1), 1))


def reproduce(figure: str, out: Path, *words: str) -> int:
    return main(["reproduce", figure, "--networks", "3", "--out", str(out), *words])


def finding(out: Path, name: str) -> dict[str, object]:
    data: dict[str, object] = json.loads((out / f"{name}.json").read_text())
    return data


def test_figures_8_and_9_share_their_networks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce("fig8", tmp_path) == 0
    cells = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "width/cells").iterdir()}
    assert len(cells) == 3 * 4 * 3
    assert reproduce("fig9", tmp_path) == 0
    assert reproduce("fig5", tmp_path) == 0
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "width/cells").iterdir()}
    assert after == cells
    for name in ("fig8a", "fig8b_growth", "fig8b_convergence", "fig9a", "fig9b_growth", "fig5"):
        found = finding(tmp_path, name)
        assert "3 networks × 2 photos per point" in str(found["ours"])
        assert found["record"]["complete"] is True  # type: ignore[index]
    with (tmp_path / "fig9.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["curve"] for row in rows} >= {"mean, zeros, pearson", "conv, nearest, |pearson|"}
    assert [row["width"] for row in rows[:3]] == ["2", "4", "8"]
    with (tmp_path / "fig5.csv").open(newline="") as file:
        shown = list(csv.DictReader(file))
    assert len(shown) == 4 * 2 * 3
    for row in shown:  # nearer to the mean than the deviation of three values allows to all
        assert abs(float(row["ssim"]) - float(row["mean_ssim"])) < 0.5
    assert "verdict:" in capsys.readouterr().out


def test_figure_5_shows_the_network_nearest_the_mean(tmp_path: Path) -> None:
    assert reproduce("fig5", tmp_path) == 0
    with (tmp_path / "width" / "table.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    with (tmp_path / "fig5.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            same = ("photo", "head", "unpool", "width")
            scores = {
                other["network_number"]: float(other["ssim"])
                for other in table
                if all(other[name] == row[name] for name in same)
            }
            mean = sum(scores.values()) / 3
            assert float(row["mean_ssim"]) == pytest.approx(mean)
            nearest = min(scores, key=lambda number: abs(scores[number] - mean))
            assert row["network"] == nearest
            assert float(row["ssim"]) == pytest.approx(scores[nearest], rel=1e-4)  # drawn alone


def test_figures_7_and_10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LAYERS", ("conv1", "conv2"))
    assert reproduce("fig7", tmp_path) == 0
    assert "the difference between Conv5 and Conv1" in str(finding(tmp_path, "fig7_depth")["ours"])
    assert "similar means within ± 0.1" in str(finding(tmp_path, "fig7_simplified")["ours"])
    assert reproduce("fig10", tmp_path) == 0
    ours = str(finding(tmp_path, "fig10")["ours"])
    assert "SSIM changes by" in ours
    for name in ("fig7.png", "fig7_curves.png", "fig10.png"):
        assert (tmp_path / name).stat().st_size > 1000


def test_time_is_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce("fig10", tmp_path, "--max-minutes", "1e-9") == 1
    assert "18 of 18 cells are missing (the same command goes on" in capsys.readouterr().err
    assert not (tmp_path / "fig10.json").exists()


def test_dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce("fig8", tmp_path / "out", "--dry-run") == 0
    assert "36 cells (0 done) on 2 photos; 9 jobs" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_all_survives_a_failure_and_reuses_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {name: registry.FIGURES[name] for name in ("table1", "fig10", "theory")}
    monkeypatch.setattr("preimage.app.cli.reproduce_all.FIGURES", kept)
    monkeypatch.setattr(angle_theorems, "run", lambda options: 1 / 0 if options else [])
    assert reproduce("all", tmp_path) == 1
    assert "theory: division by zero" in capsys.readouterr().err
    page = (tmp_path / "report.html").read_text()
    assert "Absent: division by zero" in page
    assert "Table 1: the dimension of each layer" in page
    assert page.count("data:image/png") == 1
    monkeypatch.setattr(kernel_size, "run", lambda options: pytest.fail("it is there"))
    assert reproduce("all", tmp_path) == 1
    assert (tmp_path / "report.html").read_text() == page


def test_table_1_agrees(tmp_path: Path) -> None:
    assert main(["reproduce", "table1", "--out", str(tmp_path)]) == 0
    assert finding(tmp_path, "table1")["verdict"] == "holds"
    assert "conv5,512,15,115200" in (tmp_path / "table1.csv").read_text()
