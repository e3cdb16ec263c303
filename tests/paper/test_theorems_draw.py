import pytest
import torch

from preimage.app.cli.commands import LimitCommand
from preimage.paper.theorems_draw import draw_limit, draw_theory
from preimage.paper.theorems_study import study_limit, study_theory


@pytest.fixture(scope="module")
def photo():
    return torch.rand(1, 3, 28, 26, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("pool", ["avg", "max"])
def test_a_limit_has_six_titled_panels(photo, pool):
    config = LimitCommand(layer="conv1", pooled=True, pool=pool, width=4)
    result = study_limit(photo, config.network().with_normalisation(), num_networks=2)
    figure = draw_limit(result)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert len(titles) == 6
    assert f"sin Θ = {result.sine:.3f}" in titles[2]
    figure.draw_without_rendering()


def test_the_theorys_figures_are_labelled(photo):
    figures = draw_theory(study_theory(photo, widths=(4, 8), num_networks=3))
    assert set(figures) == {"angles", "kernel_size", "grids"}
    for figure in figures.values():
        figure.draw_without_rendering()
    for axis in figures["angles"].axes:
        assert axis.get_xlabel() == "width N (channels a layer)"
        assert "exponent" in axis.get_title()
    labels = [text.get_text() for text in figures["angles"].axes[1].get_legend().texts]
    assert "5.3 as printed (outside its conditions)" in labels
    assert any("3 networks" in label for label in labels)
    assert figures["kernel_size"].axes[0].get_xlabel() == "kernel size (pixels)"
