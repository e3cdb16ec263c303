"""The page of all figures: what was computed, what stands in for it, what is absent."""

import base64
import re
from pathlib import Path

import pytest
from PIL import Image

from preimage.paper.decision import Decision
from preimage.paper.finding import Claim, Finding
from preimage.paper.findings_page import Section, findings_page
from preimage.paper.kept import KeptFinding
from preimage.paper.tables import write_rows

CLAIM = Claim("fig8a", "fig8", "Figure 8a: SSIM by width", "quality <grows>")


@pytest.fixture
def finding(tmp_path: Path) -> Finding:
    Image.new("RGB", (3000, 40)).save(tmp_path / "fig8.png")
    write_rows(tmp_path / "fig8.csv", [{"curve": "a<b", "width": 4, "mean": -0.123456}])
    return CLAIM.finding(
        "by {x:.2f}", None, {"x": -1.5}, pictures=["fig8.png"], tables=["fig8.csv"]
    )


def page(*sections: Section, folder: Path) -> str:
    options, environment = {"seed": 3, "scale": "quick"}, {"torch": "2"}
    return findings_page(sections, folder, options, environment, "preimage reproduce all")


def test_statements_verdicts_and_pictures(finding: Finding, tmp_path: Path) -> None:
    both = Section("fig8", [finding, finding])
    made = page(both, Section("fig9", problem="time was up"), folder=tmp_path)
    assert made.count("data:image/webp;base64,") == 1  # a picture that two findings share
    assert 'alt="Figure 8a: SSIM by width: by −1.50. Figure 8a' in made
    assert "quality &lt;grows&gt;" in made
    assert "2 not decided" in made
    assert 'class="verdict not-decided"' in made
    assert "Absent: time was up" in made
    assert "Figure 9: Pearson&#39;s r by width" in made
    assert "seed 3 · scale quick · torch 2" in made
    assert "http" not in made


def test_tables_are_on_the_page_and_files_inside_it(finding: Finding, tmp_path: Path) -> None:
    made = page(Section("fig8", [finding]), folder=tmp_path)
    assert "<td>a&lt;b</td><td>4</td><td>−0.1235</td>" in made
    (data,) = re.findall(r'href="data:text/csv;base64,([^"]+)" download="fig8.csv"', made)
    assert base64.b64decode(data) == (tmp_path / "fig8.csv").read_bytes()
    rows = [{"n": n, "text": 40 * "x"} for n in range(61)]
    write_rows(tmp_path / "fig8.csv", rows)
    made = page(Section("fig8", [finding]), folder=tmp_path)
    assert "Numbers (61 rows)" in made
    assert "<td>" + 40 * "x" not in made


def test_what_stands_in_says_so_and_what_is_absent_is_folded(tmp_path: Path) -> None:
    open_ = Decision(0.3, 0.7, values=20, needed_at=lambda level: 90)
    made = CLAIM.finding("by {x}", open_, {"x": 0.1}, pictures=["not-kept.png"])
    made_on = "2026-11-25"
    kept = [KeptFinding(made, made_on, {}), KeptFinding(CLAIM.absent("no file"), made_on, {})]
    html = page(Section("fig8", kept=kept), folder=tmp_path)
    assert "taken from earlier ones: Figure 8: SSIM by width." in html
    assert "Of an earlier run, 2026-11-25, by" in html
    assert "not decided (would take about 90 networks)" in html
    assert "Not measured: Figure 8a: SSIM by width" in html
    assert 'class="problem"' not in html
