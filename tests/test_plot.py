"""Charts and galleries: what they draw, and what they refuse."""

from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from preimage import plot
from preimage.data.photo import embedded_photos
from preimage.network.architectures import vgg16
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.pair import reconstruct
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.results import Results


@pytest.fixture
def results() -> Results:
    """Of two widths, two heads and two networks; the last cell is not done."""
    cells = [
        ReconstructConfig(layer="conv1", width=width, head=head, network_number=number)
        for width in (4, 16)
        for head in ("conv", "mean")
        for number in range(2)
    ]
    rows = {
        cell: [{"photo": "a", "ssim": 0.01 * index, "pearson": -0.02 * index, "mse": 0.0}]
        for index, cell in enumerate(cells[:-1])
    }
    return Results(cells, PackedPhotos.pack(embedded_photos(16)[:1]), rows)


def lines(figure: Figure) -> dict[str, list[tuple[float, float]]]:
    """Label → points of the lines with error bars."""
    return {
        str(container.get_label()): [tuple(xy) for xy in container[0].get_xydata()]  # type: ignore
        for container in figure.axes[0].containers
    }


def test_a_score_by_width(results: Results) -> None:
    found = lines(plot.by_width(results))
    assert set(found) == {"head conv", "head mean"}
    np.testing.assert_allclose(found["head conv"], [(4, 0.005), (16, 0.045)])
    np.testing.assert_allclose(found["head mean"], [(4, 0.025), (16, 0.06)])
    absolute = lines(plot.by_width(results, "pearson", absolute=True))
    np.testing.assert_allclose(absolute["head mean"], [(4, 0.05), (16, 0.12)])
    ax = Figure().subplots()
    assert plot.by_width(results, ax=ax) is ax
    assert results.plot(ax) is ax


def test_layers_are_in_order(results: Results) -> None:
    levels = results.levels("width")["head conv"]
    figure = plot.by_layer({"": {"conv10": levels[4], "conv2": levels[4]}})
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["conv2", "conv10"]


def test_what_charts_refuse(results: Results) -> None:
    with pytest.raises(ValueError, match=r"`metric` must be one of ssim, .*got 'sim'"):
        plot.by_width(results, "sim")
    with pytest.raises(ValueError, match="`option` must be one of architecture"):
        plot.by_option(results, "depth")
    results.rows.clear()
    with pytest.raises(ValueError, match="no finished cell"):
        plot.by_width(results)


def test_a_sweep_shows_itself(results: Results) -> None:
    assert repr(results) == "Results(7 of 8 cells, 1 photos; width, head vary)"
    assert len(results.to_frame()) == 7
    html = results._repr_html_()
    assert html.count("<tr>") == 5
    assert "head mean" in html


def test_a_gallery_of_anything() -> None:
    photos = embedded_photos(16)
    anything: list[Any] = [photos, list(photos), photos[0].image, torch.rand(4, 1, 9, 7)]
    for pictures in [*anything, np.zeros((2, 9, 7, 3)), torch.rand(9, 7)]:
        assert plot.gallery(pictures).axes[0].images
    titles = [ax.get_title() for ax in plot.gallery(photos[:2], ["a", "b"]).axes]
    assert titles == ["a", "b"]
    with pytest.raises(ValueError, match="`captions` must be 4, one per picture, got 1"):
        plot.gallery(photos, ["a"])
    with pytest.raises(ValueError, match="none to show"):
        plot.gallery([])


def test_rows_below_each_other() -> None:
    photos = embedded_photos(16)[:3]
    back = reconstruct(photos, layer="conv1", width=3, head="mean")
    figure = plot.side_by_side(photos, back, torch.rand(3, 3, 9, 7), labels=["x", "y", "z"])
    assert [ax.get_ylabel() for ax in figure.axes] == ["x", "", "", "y", "", "", "z", "", ""]
    many = torch.rand(30, 1, 9, 7)
    assert len(plot.side_by_side(many).axes) == 30
    assert plot.gallery(many).get_supxlabel() == "and 6 more"
    with pytest.raises(ValueError, match="equally long, got"):
        plot.side_by_side(photos, back[:1])
    with pytest.raises(ValueError, match="`labels` must be 1"):
        plot.side_by_side(photos, labels=["a", "b"])


def test_an_architecture() -> None:
    bars = plot.architecture(vgg16().cut("conv2"), (31, 20)).axes[0].patches
    assert [bar.get_height() for bar in bars] == [31, 31, 16, 16, 16]


def test_a_loss_curve_that_is_not_there(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="no training has written its losses there"):
        plot.loss_curve(tmp_path)
