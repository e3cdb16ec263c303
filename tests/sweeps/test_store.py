import json
from dataclasses import replace
from pathlib import Path

import pytest

from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.cells import label
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.store import Store

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
    store.save(CELL, photos, ROWS, {"seconds": 1.0, "flops": 10})
    assert store.load(CELL, photos) == ROWS
    assert store.rates() == [(10.0, 1.0)]


def test_a_cell_is_its_numbers_not_its_device(store: Store, photos: PackedPhotos) -> None:
    store.save(CELL, photos, ROWS, {})
    assert store.load(replace(CELL, device="cpu"), photos) == ROWS
    for other in (replace(CELL, seed=1), replace(CELL, network_number=1), replace(CELL, size=33)):
        assert store.load(other, photos) is None
    fewer = PackedPhotos.pack([photos.photo(0)])
    assert store.load(CELL, fewer) is None
    turned = PackedPhotos.pack([photos.photo(1), photos.photo(0)])
    assert store.load(CELL, turned) is None


@pytest.mark.parametrize("damage", ["truncate", "empty", "flip", "fewer", "other"])
def test_a_damaged_cell_counts_as_missing_and_is_said(
    damage: str, store: Store, photos: PackedPhotos, capsys: pytest.CaptureFixture[str]
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
    assert capsys.readouterr().err == ""
    assert store.load(CELL, photos) is None
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert "damaged; this cell is computed again" in line


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


def test_other_photos_and_contracts_are_refused(store: Store, photos: PackedPhotos) -> None:
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
    path.write_text("{")
    with pytest.raises(ValueError, match="not the record of a sweep"):
        store.claim([CELL], photos, {})


def test_label() -> None:
    assert label(ReconstructConfig()) == "network 0"
    assert label(ReconstructConfig(network_number=3, width=4)) == "width 4, network 3"


def test_packed_photos_keep_every_bit() -> None:
    (photo,) = embedded_photos(32)[:1]
    half = replace(photo, pixels=photo.pixels / 2)
    packed = PackedPhotos.pack([photo, half])
    assert [array.itemsize for array in packed.arrays] == [1, 4]
    assert packed.photo(0).sha256 == photo.sha256 == packed.hashes[0]
    assert packed.photo(1).sha256 == half.sha256
    with pytest.raises(ValueError, match="at least one photo"):
        PackedPhotos.pack([])
