import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from unchecked import unchecked

from preimage.app.cli.main import main
from preimage.data import photos
from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.paper import overview as overview_module
from preimage.paper import overview_jobs
from preimage.paper.overview import GRIDS, Grids, Overview, Row, run
from preimage.paper.overview_claims import findings
from preimage.sweeps.engine import Backend
from preimage.sweeps.grid import Execution


def one_thread(execution: Execution, device: str) -> Backend:
    """In this process, which has imported what a worker would have to."""
    return Backend(ThreadPoolExecutor(1), in_flight=1)


def narrow(grids: Grids) -> Grids:
    """The same at an eighth of the width, whose weights are drawn in no time."""

    def changed(row: Row) -> Row:
        return replace(row, words={**row.words, "width_factor": 0.125})

    return tuple(
        (name, tuple(map(changed, rows)) if name == "layer" else rows, columns)
        for name, rows, columns in grids
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photos, "embedded_photos", lambda size: embedded_photos(size)[:2])
        patch.setattr(overview_jobs, "open_backend", one_thread)
        patch.setattr(overview_module, "DECIDED", 2)
        patch.setattr(overview_module, "GRIDS", narrow(GRIDS))
        with unchecked():
            assert main(["demo", "--networks", "1", "--size", "32", "--out", str(folder)]) == 0
    return folder


def test_the_page_is_self_contained(demo: Path) -> None:
    page = (demo / "report.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert sources
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    assert not re.search(r"https?://|@import|<script|url\(", page)
    assert page.count("<img") == 2 * 2 + 1 + 2 * (1 + 30 + 12)
    assert "preimage demo --out" in page


def test_pictures_and_records(demo: Path) -> None:
    names = {path.name for path in demo.glob("*.png")}
    assert names == {
        "overview.png",
        "highlights.png",
        *(f"sheet_{p.name}.png" for p in embedded_photos(32)[:2]),
    }
    for name in names:
        with Image.open(demo / name) as picture:
            picture.verify()
    records = [json.loads(line) for line in (demo / "records.jsonl").read_text().splitlines()]
    cells = {name: len(rows) * len(columns) for name, rows, columns in GRIDS}
    assert cells == {"layer": 30, "width": 12}
    assert len(records) == 2 * (42 + 10 + 4)  # those on which verdicts rest twice
    assert {"layer", "unpool", "seed", "network_number", "ssim", "pearson", "inverted"} <= set(
        records[0]
    )
    assert json.loads((demo / "run.json").read_text())["contract"]["name"] == "grey-stretched"


def test_numbers_on_the_page_are_those_of_the_records(demo: Path) -> None:
    records = [json.loads(line) for line in (demo / "records.jsonl").read_text().splitlines()]
    best = [
        r for r in records if r["head"] == "mean" and r["unpool"] == "nearest" and r["width"] == 256
    ]
    mean = sum(r["ssim"] for r in best) / len(best)
    assert f"SSIM {mean:.3f} ±" in (demo / "report.html").read_text()


def test_strict_takes_all_photos_or_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    words = ["demo", "--photos", str(tmp_path), "--size", "32", "--out", str(tmp_path / "out")]
    assert main([*words, "--strict"]) == 2
    assert "bad.png: not an image that Pillow can read; --strict" in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*"))


@pytest.fixture(scope="module")
def overview() -> Overview:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overview_jobs, "open_backend", one_thread)
        patch.setattr(overview_module, "DECIDED", 1)
        patch.setattr(overview_module, "GRIDS", narrow(GRIDS))
        return run(embedded_photos(24)[:1], ReconstructConfig(), networks=1)


def test_one_network_decides_nothing(overview: Overview) -> None:
    verdicts = [finding.verdict for finding in findings(overview)]
    assert verdicts == ["not decided"] * 5
