import json

import pytest
from command import run

from preimage.app.cli.show import in_words
from preimage.network.operations import Normalise


def test_a_normalisation_in_words() -> None:
    words = in_words(Normalise("n", (123.675, -1.0), (58.4, 0.5)), 2)
    assert words == "(x − mean) / std, mean 123.675, -1, std 58.4, 0.5"


def test_show_prints_the_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "vgg16", "--layer", "conv5") == 0
    out = capsys.readouterr().out
    for line in (
        "conv5_3    conv 3×3, 512 → 512, ReLU                        512×15×15",
        "unpool4    unpool zeros ×2, at least the size before pool4  512×30×30",
        "deconv1_1  conv 3×3, 64 → 3, linear                         3×240×240",
        "crop       crop to the size of data                         3×227×227",
    ):
        assert line in out


def test_show_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "alexnet", "--layer", "conv1", "--head", "mean", "--json") == 0
    assert json.loads(capsys.readouterr().out)["operations"][-1]["op"] == "crop"
