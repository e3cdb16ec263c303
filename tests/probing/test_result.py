"""A result's files and pictures, on layers whose numbers are made up."""

import json
from collections.abc import Sequence
from math import inf
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from preimage.probing import LayerReport, ProbeResult
from preimage.probing.chart import draw_layers
from preimage.probing.chart_style import as_svg
from preimage.probing.features import Layout


def layer(name: str, psnr: float, twins: Sequence[float]) -> LayerReport:
    spread = (-1.0, 0.0, 1.0)
    return LayerReport(
        name=name,
        layout=Layout("maps", (2, 3, 4), 2, (3, 4)),
        stride=2,
        how="measured",
        trained=[psnr + s for s in spread],
        twins=[[twin + 0.9 * s for s in spread] for twin in twins],
        floors={"bicubic": [psnr - 2] * 3},
        ceiling=[70.0] * 3,
        ridge=1e-3,
        pictures=[torch.full((3, 6, 8), 7, dtype=torch.uint8)] * 2,
    )


def result(*layers: LayerReport) -> ProbeResult:
    photos = [torch.zeros(3, 6, 8, dtype=torch.uint8)] * 2
    return ProbeResult(list(layers), [12.0, 12.0, 12.0], {"model": "Made"}, photos)


def test_reconstructions() -> None:
    found = result(layer("a", 20.0, []), layer("b", 18.0, [])).reconstructions
    assert list(found) == ["a", "b"]
    assert found["b"].shape == (2, 3, 6, 8)
    assert found["b"].dtype == torch.float32
    assert found["b"].unique().tolist() == [7]


def test_numbers_as_json(tmp_path: Path) -> None:
    made = result(layer("a", 20.0, [21.0, 22.0]), layer("b", 18.0, [19.0]))
    data = json.loads(made.save(tmp_path / "probe.json").read_text("utf-8"))
    assert data["table"][0]["verdict"] == "not decided"
    assert data["table"][1]["over_draws"] == {"$float": "inf"}
    assert data["layers"][0]["trained"] == [19.0, 20.0, 21.0]
    assert data["layers"][0]["pictures"] == []
    assert data["record"] == {"model": "Made"}


def test_a_data_frame() -> None:
    pytest.importorskip("pandas")
    table = result(layer("a", 20.0, [21.0, 22.0]), layer("b", 18.0, [19.0, 18.5])).table
    assert list(table["layer"]) == ["a", "b"]
    assert table["difference"].tolist() == pytest.approx([-1.5, -0.75])
    assert table["usable_bits"].tolist() == pytest.approx([8 / 6.0206, 6 / 6.0206], rel=1e-5)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.html, \.json or \.svg, got"):
        result(layer("a", 20.0, [])).save(tmp_path / "probe.pickle")


def test_a_chart_says_what_the_numbers_say(tmp_path: Path) -> None:
    made = result(layer("a", 20.0, [21.0, 22.0, 20.5]), layer("b", 18.0, [19.0, 18.5, 18.0]))
    above, below = made.plot().axes
    (trained,) = [line for line in above.lines if line.get_color() == "#0072B2"][:1]
    assert list(trained.get_ydata()) == [20.0, 18.0]
    assert [label.get_text() for label in below.get_xticklabels()] == ["a", "b"]
    low, high = above.get_ylim()
    assert 10 < low < 12  # the mean image
    assert 22 < high < 24  # not the ceiling at 70 dB
    svg = made.save(tmp_path / "probe.svg").read_bytes()
    assert svg == as_svg(made.plot())
    assert svg.startswith(b"<?xml")


def test_a_chart_without_twins_or_on_given_axes() -> None:
    made = result(layer("a", 20.0, []), layer("b", 18.0, []))
    assert len(made.plot().axes) == 1
    figure = Figure()
    axes = figure.subplots()
    assert made.plot(axes) is axes
    assert axes.get_ylabel() == "PSNR (dB)"


def test_one_twin_has_no_bar_over_draws() -> None:
    made = result(layer("a", 20.0, [21.0]))
    verdict = made["a"].verdict()
    assert verdict is not None
    assert verdict.over_draws.half_width == inf
    assert len(draw_layers(made.layers, made.mean_image).axes[1].containers) == 1


def test_a_layer_shows_its_pictures_and_each_photo() -> None:
    made = result(layer("a", 20.0, [21.0, 19.0]), layer("b", 18.0, []))
    assert repr(made["a"]).startswith("LayerReport(a, ")
    assert ": PSNR 20.00" in repr(made["a"])
    assert ", twins 20.00" in repr(made["a"])
    assert list(made["a"].to_frame()["photo"]) == [1, 2, 3]
    assert made["a"]._repr_html_().count("<img") == len(made["a"].pictures)
    assert "twins" not in repr(made["b"])
