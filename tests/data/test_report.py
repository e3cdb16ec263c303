"""A report is one file that fetches nothing and shows text as text."""

from pathlib import Path

from preimage.data.report import Part, report


def test_a_report_shows_its_parts_and_nothing_else() -> None:
    table = Part("numbers", columns=("<b>", "n"), rows=[("a & b", "1"), ("c", "−2")], note="a note")
    picture = Part("picture", picture="data:image/png;base64,AA==", alt='a "cat"')
    text = report("what comes back", "A lead.", [table, picture], "preimage <x>", {"torch": "2"})
    for there in (
        "<title>preimage: what comes back</title>",
        "<h1>What comes back</h1>",
        "&lt;b&gt;",
        "a &amp; b",
        "<td>−2</td>",
        "a note",
        'alt="a &#34;cat&#34;"',
        "preimage &lt;x&gt;",
        "torch 2",
        "prefers-color-scheme: dark",
    ):
        assert there in text, there
    assert text.count("<table") == text.count("<img") == 1
    assert "http" not in text
    assert "<script" not in text


def test_every_page_has_the_one_style() -> None:
    source = Path(__file__).parents[2] / "src" / "preimage"
    pages = {p.name: p.read_text() for p in source.glob("**/templates/*.html")}
    framed = {name for name, text in pages.items() if '{% extends "report.html" %}' in text}
    assert framed == {
        "findings.html",
        "overview.html",
        "probe.html",
        "retention.html",
        "search.html",
        "study.html",
    }
    whole = [text for text in pages.values() if "<!doctype html>" in text]
    assert whole  # the frame itself
    assert all("style.css" in text for text in whole)
