"""Figures 4 and 6: numbers recomputed from the table, verdicts on pictures made up, the drawing."""

import numpy as np
import pytest
import torch
from PIL import Image
from trained_figures import Workplace, paired, parts, welch

from preimage.data.photo import Photo
from preimage.network.architectures import LAYERS
from preimage.paper.pictures import (
    ALEXNET,
    VGG,
    WIDE,
    Cell,
    _alike,
    _apart,
    _decays,
    _vgg_better,
    draw_pictures,
)
from preimage.paper.weight_laws import LAWS, PAPER_SIGMA, slug


def means(rows: list[dict[str, str]]) -> dict[tuple[str, str], np.ndarray]:
    """(row, column) → PSNR of each network, averaged over photos."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        cell = found.setdefault((row["row"], row["column"]), {})
        cell.setdefault(row["network"], []).append(float(row["psnr"]))
    return {
        key: np.array([np.mean(psnr) for psnr in networks.values()])
        for key, networks in found.items()
    }


@pytest.mark.slow
def test_figure_4(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig4")
    assert len(rows) == 2 * 5 * 2 * 3  # architectures, layers, networks, photos
    psnr = means(rows)
    columns = [layer.capitalize() for layer in LAYERS]
    for name, short in ((VGG, "vgg"), (ALEXNET, "alexnet")):
        slopes = np.polyfit(range(5), [psnr[name, column] for column in columns], 1)[0]
        numbers = findings["fig4_depth"].numbers
        assert parts(numbers[short])[0] == pytest.approx(slopes.mean())
        assert parts(numbers[f"{short}_conv4"])[0] == pytest.approx(psnr[name, "Conv4"].mean())
    better = findings["fig4_vgg"].numbers
    for layer, column in zip(LAYERS, columns, strict=True):
        expected = welch(psnr[VGG, column], psnr[ALEXNET, column])
        assert parts(better[layer]) == pytest.approx(expected)


def test_figure_6(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig6")
    assert {row["photo"] for row in rows} == {"chelsea"}
    psnr = means(rows)
    row = "Conv2-DeConv2"
    for law in [*LAWS][1:]:
        got = parts(findings["fig6_alike"].numbers[slug(law)])
        expected = paired(psnr[row, law], psnr[row, PAPER_SIGMA])
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-9)
    wide = parts(findings["fig6_wide"].numbers["gap"])
    assert wide == pytest.approx(paired(psnr[row, WIDE], psnr[row, PAPER_SIGMA]))
    with Image.open(workplace.out / "fig6.png") as picture:
        assert picture.size[0] > 4 * picture.size[1] / 2  # one line of six pictures


def test_depth_and_architecture_have_verdicts_of_their_own() -> None:
    noise = np.array([0.0, 0.1, -0.1])
    vgg = {f"Conv{k}": (30 - 2 * k + noise).tolist() for k in range(1, 6)}
    alexnet = {f"Conv{k}": (25 - k + noise).tolist() for k in range(1, 6)}
    made = {VGG: vgg, ALEXNET: alexnet}
    assert _decays(made).verdict == "holds"
    assert parts(_decays(made).numbers["vgg"])[0] == pytest.approx(-2.0)
    # At Conv5 both stand at 20 dB: "even at Conv5" is not decided.
    assert _vgg_better(made).verdict == "not decided"
    alexnet["Conv5"] = (15 + noise).tolist()
    assert _vgg_better(made).verdict == "holds"
    alexnet["Conv4"] = (28 + noise).tolist()
    assert _vgg_better(made).verdict == "fails"


def test_laws_alike_and_the_wide_one_apart() -> None:
    row = {law: [20.0, 21.0, 19.0] for law in LAWS} | {WIDE: [15.0, 16.5, 13.5]}
    assert (_alike({"r": row}).verdict, _apart({"r": row}).verdict) == ("holds", "holds")
    row |= {"Laplace(0, 0.015)": [22.0, 23.1, 21.0], WIDE: [20.1, 21.0, 19.1]}
    assert (_alike({"r": row}).verdict, _apart({"r": row}).verdict) == ("fails", "fails")
    row |= {"Laplace(0, 0.015)": [22.0, 20.0, 19.0]}
    assert _alike({"r": row}).verdict == "not decided"


def test_the_drawing_shows_every_picture_under_its_psnr() -> None:
    photos = [Photo(name, name, torch.full((3, 8, 8), 100.0)) for name in ("one", "two")]
    outputs = [torch.full((3, 8, 8), 110.0), torch.full((3, 8, 8), 300.0)]
    cells = [Cell("row", column, 0, outputs, [28.1, 2.2], [0.5, 0.1]) for column in ("a", "b")]
    figure = draw_pictures(photos, cells, "heading")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["one", "a: 28.1 dB", "b: 28.1 dB", "two", "a: 2.2 dB", "b: 2.2 dB"]
    shown = np.asarray(figure.axes[4].images[0].get_array())
    assert shown.shape == (8, 8, 3)
    assert (shown == 255).all()  # clipped
