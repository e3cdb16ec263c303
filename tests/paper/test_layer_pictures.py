"""Figure 4: its numbers recomputed from the table, verdicts on pictures made up, crops by layer."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from trained_figures import Workplace, parts, picture_means, welch

from preimage.network.architectures import LAYERS
from preimage.network.trace import receptive_field
from preimage.paper import layer_pictures
from preimage.paper.decoder_scores import DCN, LEAST_SQUARES, METHODS
from preimage.paper.layer_pictures import _SIDE, _arms, _decays, _kinds, _row, _vgg_better
from preimage.paper.trainings import Trainings


@pytest.mark.slow
def test_figure_4(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_pictures, "draw_pictures", lambda *_: Figure())  # has its own test
    findings, rows = workplace.run("fig4")
    assert len(rows) == 2 * 2 * 5 * 2 * 3  # architectures, methods, layers, networks, photos
    psnr = picture_means(rows)
    columns = [layer.capitalize() for layer in LAYERS]
    ends = {DCN: "", LEAST_SQUARES: "_least_squares"}
    for method in METHODS:
        numbers = findings[f"fig4_depth{ends[method]}"].numbers
        for name, short in (("VGG16", "vgg"), ("AlexNet", "alexnet")):
            by_layer = [psnr[f"{name}, {method}", column] for column in columns]
            assert parts(numbers[short])[0] == pytest.approx(
                np.polyfit(range(5), by_layer, 1)[0].mean()
            )
            assert parts(numbers[f"{short}_conv4"])[0] == pytest.approx(by_layer[3].mean())
        better = findings[f"fig4_vgg{ends[method]}"].numbers
        for layer, column in zip(LAYERS, columns, strict=True):
            vgg, alexnet = (psnr[f"{name}, {method}", column] for name in ("VGG16", "AlexNet"))
            assert parts(better[layer]) == pytest.approx(welch(vgg, alexnet))
    gains = findings["fig4_depth"].numbers
    assert {f"vgg_gain_{layer}" for layer in LAYERS} <= set(gains)
    assert gains["vgg_gain_conv5"] != 0  # three times four steps, against six


@pytest.mark.parametrize("method", METHODS)
def test_depth_and_architecture_have_verdicts_of_their_own(method: str) -> None:
    noise = np.array([0.0, 0.1, -0.1])
    vgg = {f"Conv{k}": (30 - 2 * k + noise).tolist() for k in range(1, 6)}
    alexnet = {f"Conv{k}": (24 - k + noise).tolist() for k in range(1, 6)}
    made = {_row("VGG16", method): vgg, _row("AlexNet", method): alexnet}
    assert _decays(made, method).verdict == "holds"
    assert parts(_decays(made, method).numbers["vgg"])[0] == pytest.approx(-2.0)
    # "Even at Conv5": there they are 1 dB apart, which can just be seen.
    assert _vgg_better(made, method).verdict == "not decided"
    alexnet["Conv5"] = (19.6 + noise).tolist()
    assert _vgg_better(made, method).verdict == "fails"
    alexnet["Conv5"] = (15 + noise).tolist()
    assert _vgg_better(made, method).verdict == "holds"
    alexnet["Conv4"] = (28 + noise).tolist()
    assert _vgg_better(made, method).verdict == "fails"


def test_crops_hold_the_receptive_field(workplace: Workplace) -> None:
    options = workplace.options("fig4")
    training = replace(options.training, side=None, steps=10, batch_size=None)
    trainings = Trainings(replace(options, training=training), side=_SIDE)
    arms = {
        (name, layer): _arms(trainings, layer, 1, kind.networks[1])[0]
        for name, layer, kind in _kinds(trainings)
    }
    vgg = [arms["VGG16", layer] for layer in LAYERS]
    assert [arm.crop for arm in vgg] == [64, 64, 64, 96, 224]
    assert [arm.batch_size for arm in vgg] == [16, 16, 16, 7, 2]
    assert [arm.steps for arm in vgg] == [10, 10, 10, 20, 30]
    for (_, layer), arm in arms.items():
        field = receptive_field(arm.encoder.description().operations)
        assert arm.crop is not None
        assert field <= arm.crop <= trainings.side, layer
