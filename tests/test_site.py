"""The walk through the built site, on a site whose faults are known."""

from pathlib import Path

from check_site import faults

SOUND = """<!doctype html><html><head><link rel="stylesheet" href="site.css?v=1">
<script src="site.js"></script></head><body id="page"><a href="https://elsewhere.example">out</a>
<a href="other/page.html#here">in</a><a href="#page">up</a><img src="data:image/png;base64,AA">
</body></html>"""


def site(folder: Path, page: str) -> list[str]:
    (folder / "other").mkdir()
    (folder / "index.html").write_text(page)
    (folder / "other" / "page.html").write_text('<h1 id="here">Here</h1>')
    (folder / "site.css").write_text("@font-face { src: url('a.woff') } p { color: red }")
    (folder / "a.woff").write_bytes(b"")
    (folder / "site.js").write_text("const home = 'https://elsewhere.example';")
    return list(faults(folder.resolve()))


def test_a_sound_site_has_no_fault(tmp_path: Path) -> None:
    assert site(tmp_path, SOUND) == []


def test_an_empty_site_is_no_site(tmp_path: Path) -> None:
    assert list(faults(tmp_path)) == [f"{tmp_path}: no page; run `make docs` first"]


def test_whatever_is_fetched_from_elsewhere_is_named(tmp_path: Path) -> None:
    fetching = """<img src="//a.example/1.png"><script src="https://b.example/2.js"></script>
    <link rel="stylesheet" href="https://c.example/3.css"><img srcset="https://d.example/4.png 2x">
    <style>@import "https://e.example/5.css"; p { background: url(https://f.example/6.png) }</style>
    <p style="background: url('https://g.example/7.png')">x</p>
    <script>fetch("https://h.example/8.json")</script>"""
    found = site(tmp_path, SOUND + fetching)
    assert [fault.rsplit("/", 1)[1] for fault in sorted(found)] == [
        *("1.png", "2.js", "3.css", "4.png", "5.css", "6.png", "7.png", "8.json"),
    ]


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    wrong = '<a href="gone.html">a</a><a href="other/page.html#there">b</a><img src="gone.png">'
    assert site(tmp_path, SOUND + wrong) == [
        "index.html: gone.html leads nowhere",
        "index.html: other/page.html#there: no such place in that page",
        "index.html: gone.png leads nowhere",
    ]
