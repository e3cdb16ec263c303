"""A search as a table, a page with two charts, and numbers."""

import json
from pathlib import Path

import pytest

from preimage.retention.search import ArchitectureRetention
from preimage.retention.search_result import Search

ROW = ArchitectureRetention(
    "1 × 3×3, slope 0", "strided", 2, 3, 8, 30.0, ((1.0, 20.0), (4.0, 22.0), (16.0, 25.5))
)
BETTER = ArchitectureRetention("1 × 1×1, slope 0", "stride 1", 1, 1, 8, 40.0, ((1.0, 24.0),))
LAYER = ArchitectureRetention(
    "vgg16 conv1", "conv1", 2, 6, 8, 31.5, ((1.0, 24.8), (4.0, 29.0)), own=(16 / 3, 29.6)
)
FOUND = Search([ROW, BETTER], [LAYER], {"command": "preimage retain --search"})


def test_the_table_has_the_best_first_and_layers_last() -> None:
    lines = str(FOUND).splitlines()[2:]
    assert [line.split(",")[0] for line in lines] == [
        "1 × 1×1",
        "1 × 3×3",
        "conv1",
    ]
    assert lines[0].split()[-4:] == ["24.0", "–", "–", "40.0"]


def test_a_page_and_numbers(tmp_path: Path) -> None:
    page = FOUND.save(tmp_path / "found.html").read_text()
    assert page.count("<svg") == 2
    assert "http" not in page
    row = "<tr><td>conv1</td><td>5.33</td><td>29.6</td><td>1.9</td></tr>"
    assert row in page
    data = json.loads(FOUND.save(tmp_path / "found.json").read_text())
    assert data["grid"][0]["curve"][1] == [4, 22.0]
    assert data["layers"][0]["own"][1] == 29.6
    with pytest.raises(ValueError, match=r"\.html or \.json"):
        FOUND.save(tmp_path / "found.txt")
