from pathlib import Path

import pytest
from PIL import Image

from preimage.paper.finding import Claim, Finding
from preimage.paper.page import findings_page


@pytest.fixture
def finding(tmp_path: Path) -> Finding:
    Image.new("L", (4, 4)).save(tmp_path / "fig8.png")
    claim = Claim("fig8a", "fig8", "Figure 8a: SSIM by width", "quality <grows>")
    return claim.finding(
        "by {x:.2f}", None, {"x": -1.5}, pictures=["fig8.png"], tables=["fig8.csv"]
    )


def test_statements_verdicts_and_pictures(finding: Finding, tmp_path: Path) -> None:
    page = findings_page(
        {"fig8": [finding, finding], "fig9": []},
        {"fig9": "time was up"},
        tmp_path,
        {"torch": "2"},
        "preimage reproduce all",
    )
    assert page.count("data:image/png;base64,") == 1  # a picture that two findings share
    assert "quality &lt;grows&gt;" in page
    assert "by −1.50" in page
    assert "2 not decided" in page
    assert 'class="verdict not-decided"' in page
    assert "Absent: time was up" in page
    assert "Figure 9: Pearson&#39;s r by width" in page
    assert "http" not in page
