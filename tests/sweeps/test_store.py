import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from preimage.data.photo import embedded_photos
from preimage.data.photos import open_photos
from preimage.network.spec import ReconstructConfig
from preimage.sweeps import run
from preimage.sweeps.cells import cell_key
from preimage.sweeps.grid import Execution, SweepConfig
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Store
from preimage.sweeps.table import write_table
from preimage.sweeps.trials import run_trials

CELL = ReconstructConfig(layer="conv1", width=2, size=32)
ROWS = [{"photo": name, "ssim": 0.1 + i, "pearson": -0.2} for i, name in enumerate("ab")]


@pytest.fixture
def photos() -> PackedPhotos:
    return PackedPhotos.pack(embedded_photos(32)[:2])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sweep")


def test_rows_come_back_as_they_were(store: Store, photos: PackedPhotos) -> None:
    assert store.load(CELL, photos) is None
    store.save(CELL, photos, ROWS, {})
    assert store.load(CELL, photos) == ROWS


def test_rates_are_those_of_this_machine_and_device(store: Store, photos: PackedPhotos) -> None:
    here, gpu, other = (
        {"platform": p, "device": d} for p, d in (("a", "cpu"), ("a", "cuda"), ("b", "cpu"))
    )
    for number, (where, seconds) in enumerate(((here, 1.0), (gpu, 2.0), (other, 3.0))):
        run = {"seconds": seconds, "flops": 10, "environment": {**where, "threads": 1}}
        store.save(replace(CELL, network_number=number), photos, ROWS, run)
    store.save(replace(CELL, network_number=3), photos, ROWS, {"seconds": 4.0, "flops": 10})
    assert store.rates(here) == [(10.0, 1.0)]
    assert store.rates(gpu) == [(10.0, 2.0)]


def test_a_cell_is_its_numbers_not_its_device(store: Store, photos: PackedPhotos) -> None:
    store.save(CELL, photos, ROWS, {})
    assert store.load(replace(CELL, device="cpu"), photos) == ROWS
    for other in (replace(CELL, seed=1), replace(CELL, network_number=1), replace(CELL, size=33)):
        assert store.load(other, photos) is None
    fewer = PackedPhotos.pack([photos.photo(0)])
    assert store.load(CELL, fewer) is None
    turned = PackedPhotos.pack([photos.photo(1), photos.photo(0)])
    assert store.load(CELL, turned) is None


def test_a_cell_under_another_cells_name_is_not_believed(
    store: Store, photos: PackedPhotos
) -> None:
    other = replace(CELL, seed=1)
    store.claim([CELL, other], photos, {})
    store.save(CELL, photos, ROWS, {})
    (path,) = (store.folder / "cells").iterdir()
    shutil.copy(path, path.with_name(f"{cell_key(other, photos.sha256)}.json"))
    assert store.load(CELL, photos) == ROWS
    assert store.load(other, photos) is None
    assert (store.status().done, store.status().missing) == (1, 1)


@pytest.mark.parametrize("damage", ["truncate", "empty", "flip", "fewer", "other"])
def test_a_damaged_cell_counts_as_missing_and_the_log_says_so(
    damage: str, store: Store, photos: PackedPhotos, caplog: pytest.LogCaptureFixture
) -> None:
    store.claim([CELL], photos, {})
    store.save(CELL, photos, ROWS, {})
    (path,) = (store.folder / "cells").iterdir()
    text = path.read_text()
    path.write_text(
        {
            "truncate": text[: len(text) // 2],
            "empty": "",
            "flip": text.replace("0.1", "0.7"),
            "fewer": json.dumps({**json.loads(text), "rows": ROWS[:1]}),
            "other": "[]",
        }[damage]
    )
    assert store.status().missing == 1
    assert caplog.messages == []
    assert store.load(CELL, photos) is None
    assert caplog.messages == [f"{path}: damaged; this cell is computed again."]


def test_status_and_failures(store: Store, photos: PackedPhotos) -> None:
    cells = [replace(CELL, network_number=number) for number in range(3)]
    with pytest.raises(ValueError, match="no sweep here"):
        store.status()
    store.claim(cells, photos, {})
    store.save(cells[0], photos, ROWS, {})
    store.fail(cells[1], photos, "no luck")
    status = store.status()
    assert (status.done, status.missing, len(status.failed)) == (1, 2, 1)
    assert not status.complete
    (failure,) = status.failed.values()
    assert failure == "layer conv1, width 2, network 1, size 32: no luck"
    for cell in cells[1:]:
        store.save(cell, photos, ROWS, {})
    assert str(store.status()) == "3 of 3 cells done, 0 missing, 0 failed"
    assert store.status().complete


def test_one_network_named_twice_is_done_twice(store: Store, photos: PackedPhotos) -> None:
    """Conv1 has no pooling before it, so its DCN has no unpooling of any kind."""
    cells = [replace(CELL, unpool="zeros"), replace(CELL, unpool="nearest")]
    store.claim(cells, photos, {})
    assert str(store.status()) == "0 of 2 cells done, 2 missing, 0 failed"
    store.save(cells[0], photos, ROWS, {})
    assert str(store.status()) == "2 of 2 cells done, 0 missing, 0 failed"


def test_other_photos_and_conventions_are_refused(store: Store, photos: PackedPhotos) -> None:
    store.claim([CELL], photos, {})
    store.claim([replace(CELL, width=3)], photos, {})  # another grid is welcome
    fewer = PackedPhotos.pack([photos.photo(0)])
    with pytest.raises(ValueError, match=r"2 photos \(astronaut, chelsea\), not 1 photo"):
        store.claim([CELL], fewer, {})
    path = store.folder / "sweep.json"
    before = path.read_text()
    manifest = json.loads(before)
    manifest["contract"]["value_range"] = "as it is"
    path.write_text(json.dumps(manifest))
    with pytest.raises(
        ValueError, match=r"another convention \(value_range\); choose another folder"
    ):
        store.claim([CELL], photos, {})
    manifest = json.loads(before)
    manifest["streams"] = 0
    path.write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="streams of version 0, not 1"):
        store.claim([CELL], photos, {})
    manifest["photos_sha256"] = "0"
    path.write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="same names but other pixels"):
        store.claim([CELL], photos, {})


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"name": "another program"}',
        '{"photos_sha256": "0", "contract": "grey", "streams": 1, "photos": [], "cells": [], '
        '"record": {}}',
        '{"photos_sha256": "0", "contract": {}, "streams": 1, "photos": 3, "cells": [], '
        '"record": {}}',
    ],
)
def test_a_damaged_or_foreign_folder_is_one_line_that_says_what_to_do(
    content: str, store: Store, photos: PackedPhotos
) -> None:
    store.folder.mkdir()
    path = store.folder / "sweep.json"
    path.write_text(content)
    for ask in (store.status, store.manifest, lambda: store.claim([CELL], photos, {})):
        with pytest.raises(ValueError, match="not the record of a sweep") as caught:
            ask()
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "Choose another folder; or, if this is a damaged sweep, delete that file" in message
        assert "\n" not in message
    assert path.read_text() == content


OLD = Path(__file__).parent / "version_0.1.0"


def test_a_sweep_of_version_0_1_0_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was written before modules, options and messages had their present names.

        preimage sweep --data cat.png --size 0 --layer conv1 --pooled --width 2 3 \
            --head conv mean --unpool nearest --networks 2 --workers 1 --out sweep
    """
    monkeypatch.setattr(run, "open_backend", lambda *_: pytest.fail("a cell is computed again"))
    folder = tmp_path / "sweep"
    shutil.copytree(OLD / "sweep", folder)
    before = {path.name: path.read_bytes() for path in folder.glob("cells/*.json")}
    assert str(Store(folder).status()) == "8 of 8 cells done, 0 missing, 0 failed"

    photos = PackedPhotos.pack(open_photos(OLD / "cat.png", None))
    grid = SweepConfig(
        layer=("conv1",),
        pooled=True,
        width=(2, 3),
        head=("conv", "mean"),
        unpool=("nearest",),
        networks=2,
        size=0,
    )
    results = run.run_sweep(grid.cells(), photos, Store(folder), Execution(), {})
    assert results.missing == 0
    assert {path.name: path.read_bytes() for path in folder.glob("cells/*.json")} == before
    (folder / "table.csv").unlink()
    write_table(results, folder)
    assert (folder / "table.csv").read_bytes() == (OLD / "sweep" / "table.csv").read_bytes()


def test_the_numbers_of_version_0_1_0_come_back() -> None:
    photos = list(open_photos(OLD / "cat.png", None))
    with (OLD / "sweep" / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        config = ReconstructConfig(
            layer="conv1",
            pooled=True,
            unpool="nearest",
            width=int(row["width"]),
            head="mean" if row["head"] == "mean" else "conv",
            network_number=int(row["network_number"]),
            size=0,
        )
        (trial,) = run_trials([config], photos)
        (result,) = trial.reconstructions
        for metric in ("ssim", "pearson", "mse", "psnr"):
            assert getattr(result, metric) == pytest.approx(float(row[metric]), rel=1e-4)
