from pathlib import Path

import pytest
from command import run

FILE = """
import torch

def make():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 5, 2, 2), torch.nn.ReLU(), torch.nn.Flatten())

def nothing():
    return torch.nn.Sequential(torch.nn.Flatten())
"""


def test_layers_of_a_model_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    assert run("layers", f"{file}:make", "--size", "16") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[2:5] == [
        ["0", "Conv2d", "maps", "5×8×8"],
        ["1", "*", "ReLU", "maps", "5×8×8"],
        ["2", "Flatten", "vectors", "320"],
    ]
    assert rows[-1][:6] == ["3", "layers,", "for", "photos", "of", "16×16;"]


def test_a_model_without_maps_is_listed_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    assert run("layers", f"{file}:nothing", "--size", "8") == 0
    assert "0            Flatten  vectors 192" in capsys.readouterr().out


def test_bad_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("layers", "vgg17") == 2
    assert "MODEL: 'vgg17' is not known" in capsys.readouterr().err
    assert run("layers", "vgg16", "--size", "-3") == 2
