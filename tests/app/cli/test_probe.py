"""A model in a file, a dozen small photos, and everything that can be wrong with them."""

import json
import re
from pathlib import Path

import pytest
from command import run
from photo_files import picture

FILE = """
import torch

def make():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, 2, 2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(320, 7)
    )
"""


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command that works, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(FILE)
    Path("photos").mkdir()
    for index in range(12):
        picture(index, 19, 21).save(f"photos/{index:02d}.png")
    return ["probe", "--model", "mine.py:make", "--data", "photos", "--raw", "--size", "16"]


def test_a_table_and_numbers(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    layers = ["--layers", "1", "3", "--twins", "2", "--other", "photos", "--out", "probe"]
    assert run(*words, *layers) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["layer", "features", "PSNR"]
    assert lines[2].startswith("1      maps 5×8×8")
    assert lines[3].startswith("3       vectors 7")
    data = json.loads(Path("probe/probe.json").read_text())
    assert [row["layer"] for row in data["table"]] == ["1", "3"]
    assert data["record"]["photos"]["training"] == 9
    assert len(data["layers"][0]["other"]) == 12
    assert "--layers 1 3" in data["record"]["command"]
    # The same command again finds everything done.
    before = {path: path.stat().st_mtime_ns for path in Path("probe/networks").iterdir()}
    assert run(*words, *layers) == 0
    assert capsys.readouterr().out == out
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_photos_that_cannot_be_read_are_counted_or_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("photos/bad.png").write_bytes(b"no image")
    layers = ["--layers", "1", "--twins", "0", "--out", "probe"]
    assert run(*words, *layers) == 0
    said = "photos/bad.png: not an image that Pillow can read."
    assert said in capsys.readouterr().err
    record = json.loads(Path("probe/probe.json").read_text())["record"]
    assert record["skipped"] == {"data": [said]}
    assert run(*words, *layers, "--strict") == 2
    assert f"{said[:-1]}; --strict allows no photo" in capsys.readouterr().err


def test_a_dry_run_computes_no_network(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    costly = ["--rungs", "linear", "dcn", "inversion"]
    assert run(*words, "--dry-run", "--out", "none", *costly) == 0
    captured = capsys.readouterr()
    first, second, *_, last = captured.out.splitlines()
    assert first == "mine.py:make, 6 networks, 9 photos to fit to, 3 to score"
    each = r"\(linear about \d+ s, dcn about \d+ \S+, inversion at most \d+ \S+\)"
    assert re.fullmatch(rf"about \d+ \S+, \S+ \S+ of memory {each}", second)
    assert last.split() == ["1", "maps", "5×8×8", "2"]
    assert not Path("none").exists()


@pytest.mark.usefixtures("no_hint_checks")
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--model", "vgg17"], "--model: 'vgg17' is not known; name torchvision:NAME"),
        (["--data", ""], "--data is missing; name a folder"),
        (["--held-out", "nowhere"], "nowhere: no such file or folder"),
        (["--photos", "4"], "at least 5 photos to fit to and 2 to score, got 3 and 1"),
        (["--mean", "1", "1", "1"], "--raw says that pixels stay as they are"),
        (["--layers", "9"], "--layers: no module is called '9'; there are 0, 1, 2"),
        (["--window", "2"], "--window must be odd and positive, got 2"),
        (["--initialisation", "wide"], "--initialisation must be a law and its scale"),
        (["--weights", "none.pth"], "--weights: none.pth: no such file"),
        (["--rungs", "linear", "cnn"], "--rungs must name linear and, besides it, any of dcn"),
        (["--out", "mine.py"], "--out must be a folder"),
    ],
)
def test_bad_input(
    words: list[str], more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words, *more) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert said in line
    assert not Path("preimage-probe").exists()


def test_unknown_preprocessing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words.remove("--raw")
    assert run(*words) == 2
    assert "give --mean and --std of pixels in [0, 1], or --raw" in capsys.readouterr().err
    assert run(*words, "--mean", "0.5", "--std", "0.5") == 2
    assert "--mean and --std are three values each" in capsys.readouterr().err


def test_a_folder_of_another_probe(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--layers", "1", "--twins", "0"]
    assert run(*words, *short) == 0
    assert run(*words, *short, "--seed", "1") == 2
    error = capsys.readouterr().err
    assert "--out preimage-probe holds a probe with other seed; name another folder." in error
