"""Sections that are there where they were asked for, with the numbers of their dataclasses."""

from dataclasses import replace
from math import inf

import pytest
import torch
from torch import nn

from preimage.probing import RAW, ProbeResult, analysis_charts, probe
from preimage.probing.analysis_charts import draw_bands, draw_correlations, draw_leakage
from preimage.probing.chart_style import DARK, LIGHT
from preimage.probing.packing import pack, unpack
from preimage.probing.page import SECTIONS


@pytest.fixture(scope="module")
def result() -> ProbeResult:
    coarse = torch.rand(16, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    photos = 255 * nn.functional.interpolate(coarse, (8, 12), mode="bicubic").clamp(0, 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 5, 2, 2), nn.ReLU(), nn.Conv2d(5, 7, 1))
    layers = ["0", "2"]
    return probe(model, photos, layers, preprocessing=RAW, twins=2, leakage=True, bands=True)


@pytest.fixture
def one_style(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are drawn once, not four times."""
    monkeypatch.setattr(analysis_charts, "in_four_styles", lambda draw, *size: draw(LIGHT))


@pytest.mark.usefixtures("one_style")
def test_leakage_by_layer(result: ProbeResult) -> None:
    found = analysis_charts.leakage(result)
    assert found is not None
    curve = result["2"].leakage
    assert curve is not None
    noise = {point.level: point.psnr for point in curve.series["noise"]}
    best = noise[inf]
    cells = found["rows"][1]["cells"]
    assert (cells[0], cells[2]) == (f"{best:.2f}", f"{noise[0.0]:.2f}")
    near = [p.bits_per_pixel for p in curve.series["coded"] if p.psnr > best - 1]
    assert cells[4] == f"{min(bits for bits in near if bits is not None):.2f}"
    assert analysis_charts.leakage(_without(result)) is None


@pytest.mark.usefixtures("one_style")
def test_bands_by_layer(result: ProbeResult) -> None:
    found = analysis_charts.bands(result)
    assert found is not None
    report = result["0"].bands
    assert report is not None
    assert found["rows"][0]["cells"][2] == f"{100 * report.trained.retained(1).mean:.1f}"
    assert analysis_charts.bands(_without(result)) is None


def test_a_panel_per_layer_in_the_colours_of_the_night(result: ProbeResult) -> None:
    reports = {layer.name: layer.bands for layer in result.layers if layer.bands}
    axes = draw_bands(reports, DARK).axes
    assert [axis.get_title() for axis in axes if axis.get_visible()] == ["0", "2"]
    known = {x.name: x.correlations for x in result.layers if x.correlations}
    first = draw_correlations(known, DARK).axes[0]
    assert list(first.lines[0].get_ydata()) == known["0"].trained.retained
    noise, coded = draw_leakage(result.layers, DARK).axes
    assert noise.get_facecolor() == coded.get_facecolor()
    assert [text.get_text() for text in noise.get_legend().get_texts()] == ["0", "2"]
    assert len(noise.lines) == 2 * (1 + 2)  # each layer's own, and its twins'


def test_the_sections_are_on_the_page(result: ProbeResult) -> None:
    assert {"leakage", "bands"} < {section.anchor for section in SECTIONS}


def test_a_folder_keeps_them(result: ProbeResult) -> None:
    plain, tensors = pack(result)
    again = unpack(ProbeResult, plain, tensors)
    report, other = result["0"].bands, again["0"].bands
    assert report is not None
    assert torch.equal(other.trained.energy, report.trained.energy)
    assert [twin.values(0) for twin in other.twins] == [twin.values(0) for twin in report.twins]
    assert again["2"].leakage == result["2"].leakage


def _without(result: ProbeResult) -> ProbeResult:
    layers = [replace(layer, leakage=None, twin_leakage=[], bands=None) for layer in result.layers]
    return replace(result, layers=layers)
