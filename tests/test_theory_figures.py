import pytest
import torch

from preimage.theory_figures import limit_picture, reproduce_theory


@pytest.fixture(scope="module")
def photo():
    return torch.rand(1, 3, 28, 26, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("pool", ["avg", "max"])
def test_limit_picture_shows_six_titled_panels(photo, pool):
    drawn = limit_picture(photo, layer="conv1", pooled=True, pool=pool, width=4, num_networks=2)
    titles = [axis.get_title() for axis in drawn.figure.axes if axis.get_title()]
    assert len(titles) == 6
    assert f"sin Θ = {drawn.result.sine:.3f}" in titles[2]
    drawn.figure.draw_without_rendering()


def test_reproduce_theory_draws_labelled_figures(photo):
    drawn = reproduce_theory(photo, widths=(4, 8), num_networks=3)
    assert set(drawn.figures) == {"angles", "kernel_size", "grids"}
    for figure in drawn.figures.values():
        figure.draw_without_rendering()
    for axis in drawn.figures["angles"].axes:
        assert axis.get_xlabel() == "width N (channels a layer)"
        assert "exponent" in axis.get_title()
    labels = [text.get_text() for text in drawn.figures["angles"].axes[1].get_legend().texts]
    assert "5.3 as printed (outside its conditions)" in labels
    assert any("3 networks" in label for label in labels)
    assert drawn.figures["kernel_size"].axes[0].get_xlabel() == "kernel size (pixels)"
