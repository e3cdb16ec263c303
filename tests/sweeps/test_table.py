import csv
from pathlib import Path
from statistics import fmean, stdev

import pytest

from preimage.data.photo import embedded_photos
from preimage.sweeps.cells import OPTIONS
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.run import Results
from preimage.sweeps.table import require_parquet, summaries, table_rows, write_table

GRID = SweepConfig(layer=("conv1",), unpool=("zeros", "nearest"), width=(2, 3), networks=3, size=32)


@pytest.fixture
def results() -> Results:
    """Scores that are functions of the cell and the photo; the last cell is missing."""
    photos = PackedPhotos.pack(embedded_photos(32)[:2])
    rows = {
        cell: [
            {"photo": name, "photo_sha256": "0", "ssim": number / 8, "pearson": -number / 4 + place}
            for place, name in enumerate(photos.names)
        ]
        for number, cell in enumerate(GRID.cells()[:-1])
    }
    return Results(GRID.cells(), photos, rows)


def test_a_row_per_photo_and_cell_in_the_order_of_the_grid(
    results: Results, tmp_path: Path
) -> None:
    (path,) = write_table(results, tmp_path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11 * 2
    assert list(rows[0])[: len(OPTIONS)] == list(OPTIONS)
    assert [row["photo"] for row in rows[:3]] == ["astronaut", "chelsea", "astronaut"]
    for row, (number, cell) in zip(rows[::2], enumerate(GRID.cells()[:-1]), strict=True):
        assert row["unpool"] == cell.unpool
        assert (int(row["width"]), int(row["network_number"])) == (cell.width, cell.network_number)
        assert float(row["ssim"]) == number / 8
        assert row["contract"] == "grey-stretched"


def test_no_row_no_table(results: Results, tmp_path: Path) -> None:
    results.rows.clear()
    assert write_table(results, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_parquet_holds_the_same_rows(results: Results, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(results, tmp_path, parquet=True)
    assert parquet.read_table(tmp_path / "table.parquet").to_pylist() == list(table_rows(results))


def test_parquet_is_asked_for_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"`parquet` needs pyarrow: pip install 'preimage\[parq"):
        require_parquet()


def test_summaries_are_named_by_what_varies(results: Results) -> None:
    ssim = summaries(results, "ssim")
    assert list(ssim) == [
        "unpool zeros, width 2",
        "unpool zeros, width 3",
        "unpool nearest, width 2",
        "unpool nearest, width 3",
    ]
    assert [interval.n for interval in ssim.values()] == [3, 3, 3, 2]
    assert ssim["unpool zeros, width 3"].mean == pytest.approx(fmean([3 / 8, 4 / 8, 5 / 8]))
    assert ssim["unpool zeros, width 3"].std == pytest.approx(stdev([3 / 8, 4 / 8, 5 / 8]))
    # Over two photos |−n/4| and |1 − n/4|, for networks n = 0, 1, 2
    absolute = summaries(results, "pearson", absolute=True)["unpool zeros, width 2"]
    assert absolute.mean == pytest.approx(fmean([(0 + 1) / 2, (1 / 4 + 3 / 4) / 2, 1 / 2]))
