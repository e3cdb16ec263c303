import csv
import json
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from preimage.app.cli.main import main
from preimage.data.each_photo import Interrupted
from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.sweeps import run as run_module
from preimage.sweeps.cells import cell_key
from preimage.sweeps.engine import Backend
from preimage.sweeps.grid import Execution, SweepConfig
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.run import Results, run_sweep
from preimage.sweeps.store import Store
from preimage.sweeps.table import summaries, write_table

GRID = SweepConfig(
    layer=("conv1",),
    pooled=True,
    width=(2, 3),
    head=("conv", "mean"),
    unpool=("zeros", "nearest"),
    networks=2,
    size=32,
)
WORDS = ["sweep", "--layer", "conv1", "--pooled", "--width", "2", "3", "--head", "conv", "mean"]
WORDS += ["--unpool", "zeros", "nearest", "--networks", "2", "--size", "32"]


@pytest.fixture
def photos() -> PackedPhotos:
    return PackedPhotos.pack(embedded_photos(32))


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Threads in place of processes, which take seconds to start; nothing is timed beforehand."""
    monkeypatch.setattr("preimage.app.cli.sweep.announce", lambda _: None)

    def use(workers: int) -> None:
        monkeypatch.setattr(
            run_module, "open_backend", lambda *_: Backend(ThreadPoolExecutor(workers), workers)
        )

    use(1)
    return use


def sweep(folder: Path, photos: PackedPhotos, cells: list[ReconstructConfig]) -> Results:
    results = run_sweep(cells, photos, Store(folder), Execution(), {})
    write_table(results, folder)
    return results


def test_the_table_is_the_same_whatever_the_order_and_the_interruptions(
    tmp_path: Path, photos: PackedPhotos, threads: Callable[[int], None]
) -> None:
    cells = GRID.cells()
    whole = sweep(tmp_path / "whole", photos, cells)
    assert len(whole.rows) == len(cells) == 16
    threads(3)
    sweep(tmp_path / "parts", photos, cells[::-3])
    partial = (tmp_path / "parts" / "table.csv").read_bytes()
    (tmp_path / "parts" / "cells" / f"{cell_key(cells[15], photos.sha256)}.json").write_text("{")
    again = sweep(tmp_path / "parts", photos, cells)
    assert again.rows == whole.rows
    tables = [(tmp_path / name / "table.csv").read_bytes() for name in ("whole", "parts")]
    assert tables[0] == tables[1] != partial
    with (tmp_path / "whole" / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16 * 4
    assert [row["photo"] for row in rows[:4]] == ["astronaut", "chelsea", "coffee", "rocket"]
    assert float(rows[5]["ssim"]) == whole.rows[cells[1]][1]["ssim"]
    assert {row["contract"] for row in rows} == {"grey-stretched"}


def test_what_is_there_is_not_computed_again(
    tmp_path: Path, photos: PackedPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "open_backend", lambda *_: pytest.fail("nothing to do"))
    store, cells = Store(tmp_path), GRID.cells()[:2]
    rows = [{"photo": name, "ssim": 0.5, "pearson": -0.25} for name in photos.names]
    for cell in cells:
        store.save(cell, photos, rows, {})
    results = run_sweep(cells, photos, store, Execution(), {})
    assert results.missing == 0
    assert results.average(cells[0], "pearson") == -0.25
    assert results.average(cells[0], "pearson", absolute=True) == 0.25
    assert results.average(replace(cells[0], seed=9), "ssim") is None
    assert summaries(results, "ssim")["all"].spread() == "0.500 ± 0.000"


def test_a_failing_cell_is_reported_and_the_rest_is_done(
    tmp_path: Path, threads: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sweep", "--architecture", "alexnet", "--layer", "conv1", "conv5", "--size", "20"]
    out = ["--out", str(tmp_path / "out")]
    assert main([*words, "--width", "2", "--networks", "1", *out]) == 1
    captured = capsys.readouterr()
    assert "layer conv1" in captured.out
    assert captured.err.count("layer conv5") == 2  # as it happens, and at the end
    assert "1 of 2 cells are missing, 1 of them failed repeatedly" in captured.err
    assert main(["sweep", "status", *out]) == 1
    printed = capsys.readouterr().out
    assert "1 of 2 cells done, 1 missing, 1 failed" in printed
    assert "failed: architecture alexnet, layer conv5" in printed
    assert "needs an input of at least" in printed


def test_the_command(
    tmp_path: Path, threads: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main([*WORDS, *out, "--dry-run"]) == 0
    assert "16 cells (0 done) on 4 photos; 4 jobs to do" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    assert main([*WORDS, *out, "--max-minutes", "1e-9"]) == 1
    captured = capsys.readouterr()
    assert "16 of 16 cells are missing (the same command goes on from here)" in captured.err
    assert main([*WORDS, *out]) == 0
    printed = capsys.readouterr().out
    assert "unpool nearest, width 3, head mean" in printed
    assert "4 photos" in printed
    assert main([*WORDS, *out, "--dry-run"]) == 0
    assert "16 cells (16 done) on 4 photos; 0 jobs" in capsys.readouterr().out
    assert main(["sweep", "status", *out]) == 0
    assert main([*WORDS, *out, "--photos", "3"]) == 2
    assert "holds a sweep over 4 photos" in capsys.readouterr().err


def test_photos_that_cannot_be_read_are_counted_or_refused(
    tmp_path: Path, threads: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    Image.radial_gradient("L").resize((24, 24)).save(tmp_path / "good.png")
    words = ["sweep", "--layer", "conv1", "--width", "2", "--size", "24", "--workers", "1"]
    words += ["--networks", "1", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*words, "--strict"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        "not an image that Pillow can read; --strict allows no photo to be skipped."
    )
    assert main(words) == 0
    assert "bad.png: not an image" in capsys.readouterr().err
    record = json.loads((tmp_path / "out" / "sweep.json").read_text())["record"]
    assert [line.split(": ")[0] for line in record["skipped"]] == [str(tmp_path / "bad.png")]


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.usefixtures("threads")
def test_a_stopped_sweep_keeps_its_cells_and_says_how_to_go_on(
    how: signal.Signals,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It ended without a word on SIGTERM. The job of that moment is dropped."""
    keep, kept = run_module._keep, []

    def keep_and_stop(*arguments: Any) -> None:
        keep(*arguments)
        kept.append(arguments)
        if len(kept) == 1:
            signal.raise_signal(how)

    monkeypatch.setattr(run_module, "_keep", keep_and_stop)
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    try:
        assert main([*WORDS, "--out", str(tmp_path)]) == code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    said = "terminated" if how == signal.SIGTERM else "interrupted"
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"preimage: {said}; the same command goes on from here."
    assert len(list(tmp_path.glob("cells/*.json"))) == 4
    assert main([*WORDS, "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("cells/*.json"))) == 16


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--layer"], "--layer needs at least one value"),
        (["--layer", "conv9"], "--layer must be one of"),
        (["--unpool", "best"], "unpool"),
        (["--networks", "0"], "--networks must be an integer from 1 on"),
        (["--workers", "0"], "--workers must be an integer from 1 to 1024"),
        (["--max-minutes", "0"], "--max-minutes must be a number above 0"),
        (["--photos", "0"], "--photos must be an integer from 1 on"),
        (["status"], "there is no sweep here"),
        (["--device", "gpu"], "device"),
        (["--data", "nowhere.png"], "nowhere.png: no such file"),
    ],
)
def test_bad_words(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *words, "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_photos_in_any_form_and_a_folder_by_name(tmp_path: Path, threads: Any) -> None:
    cells = SweepConfig(layer=("conv1",), width=(2,), networks=1, size=32).cells()
    results = run_sweep(cells, embedded_photos(32), tmp_path / "sweep")
    assert repr(results) == "Results(1 of 1 cells, 4 photos)"
    assert list(results.to_frame()["photo"]) == list(results.photos.names)


def test_an_interrupt_carries_the_cells_that_are_done(
    tmp_path: Path, photos: PackedPhotos, threads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = SweepConfig(layer=("conv1",), width=(2,), networks=2, size=32).cells()
    save = Store.save

    def once(store: Store, *arguments: Any) -> None:
        save(store, *arguments)
        if arguments[0].network_number == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "save", once)
    with pytest.raises(Interrupted, match="1 of the cells is finished") as raised:
        run_sweep(cells, photos, tmp_path)
    assert len(raised.value.results.rows) == 1
