import json
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from preimage.paper.decision import Decision
from preimage.paper.finding import (
    Claim,
    Finding,
    Findings,
    decided_together,
    load_finding,
    save_finding,
    text,
    with_command,
)
from preimage.scores.statistics import Interval

CLAIM = Claim("fig8a", "fig8", "Figure 8a: SSIM by width", "quality grows")
SLOPE = Interval(-0.0256, 0.01, 20)


@pytest.fixture
def finding() -> Finding:
    return CLAIM.finding(
        "SSIM changes by {slope:+.3f} from {first:.2f}, alone {slope.mean:.2f}; {n:,} networks of "
        "{law}",
        Decision(0.3, 0.7, values=20, needed_at=lambda level: 1234),
        {"slope": SLOPE, "first": -0.5, "n": 2000, "law": "N-1", "high": inf},
        brief="{slope:+.2f}",
        units={"slope": "per doubling"},
        pictures=["a.png"],
        tables=["a.csv"],
    )


def test_sentences_print_their_numbers(finding: Finding) -> None:
    half = f"{SLOPE.half_width:.3f}"
    assert finding.ours == (
        f"SSIM changes by −0.026 ± {half} from −0.50, alone −0.03; 2,000 networks of N-1"
    )
    assert finding.in_brief == f"−0.03 ± {SLOPE.half_width:.2f}"
    assert finding.verdict_text == "not decided (would take about 1,234 networks)"
    assert "verdict: not decided (would take about 1,234 networks)" in text([finding])


def test_a_number_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="`numbers` of fig8a lack 'slope'"):
        CLAIM.finding("by {slope:.2f}", True, {})


@pytest.mark.parametrize(
    ("holds", "verdict"),
    [(True, "holds"), (False, "fails"), (None, "not decided"), (Decision(0.001, 1.0), "holds")],
)
def test_verdicts(holds: bool | Decision | None, verdict: str) -> None:
    assert CLAIM.finding("", holds, {}).verdict == verdict


def test_what_is_absent_says_why() -> None:
    absent = CLAIM.absent("no {file} here")
    assert (absent.verdict, absent.ours) == ("absent", "no {file} here")


def test_a_file_and_back(finding: Finding, tmp_path: Path) -> None:
    path = save_finding(tmp_path, finding, {"seed": 3})
    assert path.name == "fig8a.json"
    assert load_finding(path) == (finding, {"seed": 3})
    data = json.loads(path.read_text())
    assert data["ours"] == finding.ours
    assert data["numbers"]["slope"]["n"] == 20
    assert data["numbers"]["high"] is None
    assert len(data["date"]) == len("2017-04-04")


def test_another_file_is_refused(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"claim": 3}'):
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(ValueError, match=r"x\.json: not a finding"):
            load_finding(tmp_path / "x.json")


def test_the_longer_time_stands(finding: Finding) -> None:
    assert with_command(finding, "c", 3.0).seconds == 3.0
    assert with_command(replace(finding, seconds=40.0), "c", 3.0).seconds == 40.0
    assert with_command(finding, "c").seconds is None


def test_what_would_decide(finding: Finding) -> None:
    """1,234 networks in place of 20, which took a minute."""
    timed = replace(finding, seconds=60.0)
    assert timed.verdict_text == "not decided (would take about 1,234 networks, 62 min)"
    assert CLAIM.finding("", True, {}).effort == ""
    assert CLAIM.absent("").effort == ""


def test_a_figures_findings_are_decided_together() -> None:
    made = [CLAIM.finding("", Decision(0.02, 1.0), {}) for _ in range(2)]
    assert [finding.verdict for finding in made] == ["holds", "holds"]
    corrected = decided_together([made[0], CLAIM.absent(""), made[1]])
    assert [f.verdict for f in corrected] == ["not decided", "absent", "not decided"]


def test_findings_show_statements_and_verdicts() -> None:
    claim = Claim("fig0", "fig0", "Figure 0", "Pictures <improve>.")
    found = Findings([claim.finding("by {gain}", None, {"gain": 0.5}), claim.absent("no data")])
    assert repr(found[0]) == "Finding(fig0: not decided; by 0.5)"
    html = found._repr_html_()
    assert html.count("Pictures &lt;improve&gt;.") == 2
    assert list(found.to_frame()["verdict"]) == ["not decided", "absent"]
