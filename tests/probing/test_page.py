"""One file that fetches nothing, whose numbers are the table's."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import nn

from preimage.probing import RAW, ProbeResult, probe
from preimage.probing.gallery import gallery
from preimage.probing.page import SECTIONS
from preimage.probing.page_tables import other_photos, rungs, summary, verdicts
from preimage.probing.rung_report import RungReport


class Tags(HTMLParser):
    """Every tag with its attributes, and which tags were left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "source"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def result() -> ProbeResult:
    coarse = torch.rand(20, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    photos = 255 * nn.functional.interpolate(coarse, (8, 12), mode="bicubic").clamp(0, 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(3, 5, 2, 2), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(120, 9)
        )
    other = photos.flip(0)[:4]
    found = probe(model, photos, ["1", "3"], other=other, preprocessing=RAW, twins=3)
    found.record["model"] = "<script>alert(1)</script>"
    return found


@pytest.fixture(scope="module")
def text(result: ProbeResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = result.save(tmp_path_factory.mktemp("page") / "probe.html")
    return path.read_text("utf-8")


def test_a_page_is_whole_and_fetches_nothing(result: ProbeResult, text: str) -> None:
    page = Tags(text)
    assert page.open == []
    links = [found["href"] for found in page.attributes("a")]
    assert links == ["#verdicts", "#chart", "#gallery", "#bounds", "#other", "#method"]
    assert {str(link)[1:] for link in links} < {section.anchor for section in SECTIONS}
    anchors = {attributes.get("id") for _, attributes in page.tags}
    assert {str(link)[1:] for link in links} <= anchors
    pictures = [str(found["src"]) for found in page.attributes("img")]
    pictures += [str(found["srcset"]) for found in page.attributes("source")]
    assert all(address.startswith("data:image/") for address in pictures)
    assert "url(" not in text
    assert "<script" not in text
    # 5 photos, each with 2 layers of 2 networks, and the chart.
    alts = [str(found["alt"]) for found in page.attributes("img")]
    assert len(alts) == 1 + 5 * (1 + 2 * 2)
    assert len(set(alts)) == len(alts)
    psnr = result["3"].twins[0][1]
    assert f"Photo 2 as read from 3 of a random twin, {psnr:.1f} dB" in alts


def test_its_numbers_are_the_tables(result: ProbeResult) -> None:
    page = result._repr_html_()
    assert Tags(page).open == []
    for row in result.rows():
        cells = [f"{row['psnr']:.2f} ± {row['psnr_half_width']:.2f}", row["verdict"]]
        cells += [f"{row['difference']:+.2f}".replace("-", "−"), f"± {row['over_draws']:.2f}"]
        for cell in cells:
            assert f">{cell}<" in page
    assert "97.5" not in page  # a fragment leaves the explanations to the page


def test_what_was_not_asked_for_has_no_section(result: ProbeResult, tmp_path: Path) -> None:
    layers = [
        replace(layer, twins=[], twin_pictures=[], other=[], other_twins=[])
        for layer in result.layers
    ]
    alone = replace(result, layers=layers, mean_image_other=[], photos=result.photos[:1])
    text = alone.save(tmp_path / "probe.html").read_text("utf-8")
    page = Tags(text)
    assert "Photos of another domain" not in text
    assert "verdict needs" not in text
    assert "over draws</th>" not in text
    assert len(page.attributes("img")) == 1 + 1 + 2


def test_one_twin_decides_nothing_and_says_so(result: ProbeResult) -> None:
    layers = [replace(layer, twins=layer.twins[:1]) for layer in result.layers]
    one = replace(result, layers=layers)
    assert summary(one) == "Of 2 layers: 2 not decided."
    assert [row["over_draws"] for row in verdicts(one)["rows"]] == ["unknown", "unknown"]


def test_the_intervals_are_named_by_their_confidence(text: str) -> None:
    assert "are at 97.5 %, so that all 2 layers together are at 95 %" in text
    assert "3 draws with a 95 % interval over draws" in text


def test_names_are_escaped(text: str) -> None:
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_costly_rungs_stand_below_the_linear_one(result: ProbeResult) -> None:
    assert rungs(result) is None
    picture = torch.full((3, 8, 12), 9, dtype=torch.uint8)
    first = result["1"]
    found = RungReport(
        rung="dcn",
        trained=[psnr + 1 for psnr in first.trained],
        linear=first.trained,
        twins=first.twins[:1],
        feature_error=[0.125] * 5,
        twin_feature_error=[[0.25] * 5],
        seconds=1.0,
        notes={},
        pictures=[picture] * 2,
        twin_pictures=[],
    )
    with_one = replace(result, layers=[replace(first, rungs={"dcn": found}), result["3"]])
    shown = rungs(with_one)
    assert shown is not None
    (row,) = shown["rows"]
    assert (row["above"], row["error"]) == ("+1.00 ± 0.00", "12.5")
    assert row["verdict"].endswith("over draws not decided (one twin)")
    pictures = gallery(with_one)
    assert pictures is not None
    labels = [[line["label"] for line in photo["rows"]] for photo in pictures["photos"]]
    assert labels == [["trained", "random", "dcn, trained"]] * 2 + [["trained", "random"]] * 3
    cells = pictures["photos"][0]["rows"][2]["cells"]
    assert cells[0]["psnr"] == f"{first.trained[0] + 1:.1f} dB"
    assert cells[1] is None


def test_photos_of_another_domain_stand_beside_the_held_out_ones(result: ProbeResult) -> None:
    found = other_photos(result)
    assert found is not None
    assert found["photos"] == 4
    layer = result["1"]
    row = found["rows"][0]
    assert row["there"].startswith(f"{fmean(layer.other):.2f} ±")
    assert row["gain_there"] == f"{fmean(layer.other) - fmean(result.mean_image_other):+.2f}"
