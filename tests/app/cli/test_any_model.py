"""`--model` of fit and train, and their files, which evaluate and reconstruct read."""

import json
from pathlib import Path

import pytest
import torch
from command import run
from PIL import Image
from safetensors.torch import load_file, save_file

MODEL = """
import torch
from preimage.probing import Preprocessing

preprocessing = Preprocessing(40, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))

def make():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, stride=2, padding=1),
        torch.nn.ReLU(inplace=True),
        torch.nn.Conv2d(6, 8, 3, stride=2, padding=1),
        torch.nn.Flatten(),
    )
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the model's file, its weights and ten smooth photos lie."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(MODEL)
    generator = torch.Generator().manual_seed(0)
    shapes = {"0.weight": (6, 3, 3, 3), "0.bias": (6,), "2.weight": (8, 6, 3, 3), "2.bias": (8,)}
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    save_file(state, tmp_path / "w.safetensors")
    (tmp_path / "photos").mkdir()
    for index in range(10):
        small = torch.randint(0, 256, (5, 5, 3), generator=generator, dtype=torch.uint8)
        image = Image.fromarray(small.numpy()).resize((33, 36), Image.Resampling.BICUBIC)
        image.save(tmp_path / "photos" / f"{index}.png")
    return tmp_path


TRUSTED = ("--model", "net.py:make")
FIT = ("fit", "--model", "net.py:make", "--layer", "2", "--data", "photos", "--size", "32")


def test_fit_evaluate_and_reconstruct(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--weights", "w.safetensors", "--window", "1", "--out", "d.safetensors")
    assert run(*FIT, *words) == 0
    card = json.loads((folder / "d.json").read_text())
    origin = card["encoder"]["origin"]
    assert (origin["model"], origin["layer"]) == ("net.py:make", "2")
    assert (origin["weights"], origin["sha256"]) == ("w.safetensors", card["encoder"]["sha256"])
    assert set(load_file("d.safetensors")) == {"decoder.weight", "decoder.bias"}
    capsys.readouterr()
    scored = ("--data", "photos", "--held-out", "photos", "--size", "32")
    assert run("evaluate", "--decoder", "d.safetensors", *TRUSTED, *scored) == 0
    assert "training, decoder" in capsys.readouterr().out
    decode = ("reconstruct", "photos", "--decoder", "d.safetensors", *TRUSTED, "--size", "32")
    assert run(*decode) == 0
    assert len(list((folder / "preimage-decoded").glob("*_decoded.png"))) == 10
    # The weights move: the file says so, and takes their new place; other weights it refuses.
    (folder / "w.safetensors").rename(folder / "moved.safetensors")
    capsys.readouterr()
    assert run(*decode) == 2
    assert "w.safetensors: no such file; it takes a law" in capsys.readouterr().err
    assert run(*decode, "--weights", "moved.safetensors") == 0
    moved = ("--weights", "moved.safetensors", *TRUSTED)
    assert run("evaluate", "--decoder", "d.safetensors", *moved, *scored) == 0
    state = load_file("moved.safetensors")
    save_file({**state, "0.bias": state["0.bias"] + 1}, "other.safetensors")
    capsys.readouterr()
    assert run(*decode, "--weights", "other.safetensors") == 2
    assert "was made for layer 2 of net.py:make with weights whose" in capsys.readouterr().err


def test_a_decoders_file_alone_runs_no_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*FIT, "--window", "1", "--out", "d.safetensors") == 0
    (folder / "net.py").write_text("open('ran', 'w')\n")
    capsys.readouterr()
    scored = ("--data", "photos", "--held-out", "photos", "--size", "32")
    for words in (
        ("reconstruct", "photos/0.png", "--decoder", "d.safetensors"),
        ("evaluate", "--decoder", "d.safetensors", *scored),
    ):
        assert run(*words) == 2
        assert "is code that would be run; if you trust it, give --model" in capsys.readouterr().err
        assert run(*words, "--model", "other.py:make") == 2
        assert "a layer of net.py:make, not of --model other.py:make" in capsys.readouterr().err
    assert not (folder / "ran").exists()


def test_train(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights from a law are drawn again for the file."""
    words = ("train", "--model", "net.py:make", "--layer", "0", "--seed", "3", "--data", "photos")
    words += ("--steps", "3", "--batch-size", "2", "--crop", "16", "--precision", "fp32")
    words += ("--workers", "0", "--device", "cpu", "--out", "run")
    assert run(*words, "--dry-run") == 0
    assert "3 steps of 2 photos, 16×16" in capsys.readouterr().out
    assert run(*words) == 0
    decode = ("reconstruct", "photos/1.png", "--decoder", "run/decoder.safetensors")
    assert run(*decode, *TRUSTED, "--size", "32") == 0
    assert run(*words, "--weights", "uniform:0.1") == 2
    assert "a run with other settings (origin: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*FIT, "--width", "4"), "--width cannot be given with --model: they describe"),
        (("fit", "--model", "net.py:make"), "--layer is missing; name a module of net.py:make"),
        ((*FIT, "--weights", "none.pth"), "none.pth: no such file; it takes a law such as"),
        ((*FIT, "--weights", "pretrained"), "--weights: nobody publishes those of net.py:make"),
        ((*FIT, "--layer", "3"), "layer 3 gives vectors"),
        ((*FIT, "--raw", "--mean", "1", "1", "1"), "--raw says that pixels stay as they are"),
        (("reconstruct", *TRUSTED), "--model needs --decoder: the file of a layer of that model"),
        (("fit", "--layer", "conv1", "--raw"), "--raw are for the layer of a --model"),
    ],
)
def test_what_is_refused(
    words: tuple[str, ...], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 2
    assert message in capsys.readouterr().err
