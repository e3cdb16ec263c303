import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preimage import __version__
from preimage.app.cli.main import VERBS, main
from preimage.app.cli.show import in_words
from preimage.network.operations import Normalise

PREIMAGE = [sys.executable, "-m", "preimage"]


def run(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as stop:  # the argument parser's way
        return int(stop.code or 0)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.radial_gradient("L").resize((40, 40)).convert("RGB").save(path)
    return str(path)


def test_shapes_prints_table_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shapes", "vgg16", "--size", "227") == 0
    lines = capsys.readouterr().out.splitlines()
    cells = [line.split()[:4] for line in (lines[0], *lines[2:])]
    assert cells == [
        ["Layer", "Channels", "Shape", "Dimension"],
        ["Data", "3", "227×227", "154,587"],
        ["Conv1", "64", "227×227", "3,297,856"],
        ["Conv2", "128", "114×114", "1,663,488"],
        ["Conv3", "256", "57×57", "831,744"],
        ["Conv4", "512", "29×29", "430,592"],
        ["Conv5", "512", "15×15", "115,200"],
    ]
    assert run("shapes", "alexnet", "--size", "227x300", "--width-factor", "0.5") == 0
    assert ["Conv1", "48", "55×73"] in [
        line.split()[:3] for line in capsys.readouterr().out.splitlines()
    ]


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
    assert run("show", "alexnet", "--layer", "conv1", "--head", "mean", "--json") == 0
    assert json.loads(capsys.readouterr().out)["operations"][-1]["op"] == "crop"


def test_reconstruct_writes_pictures_scores_and_the_run(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["--layer", "conv2", "--width-factor", "0.1", "--size", "32", "--unpool", "nearest"]
    assert run("reconstruct", photo, *words, "--out", str(out)) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"photo_grey.png", "photo_colour.png", "sheet.png", "records.jsonl", "run.json"}
    with Image.open(out / "photo_colour.png") as picture:
        assert picture.mode == "RGB"
    (record,) = map(json.loads, (out / "records.jsonl").read_text().splitlines())
    assert f"{record['ssim']:.3f}" in capsys.readouterr().out
    assert json.loads((out / "run.json").read_text())["config"]["unpool"] == "nearest"


def test_limit_writes_figure_limit_and_numbers(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["--layer", "conv1", "--pooled", "--width", "4", "--networks", "2", "--size", "24"]
    assert run("limit", photo, *words, "--out", str(out)) == 0
    assert {path.name for path in out.iterdir()} == {"limit.png", "limit.npy", "run.json"}
    assert np.load(out / "limit.npy", allow_pickle=False).shape == (24, 24)
    numbers = json.loads((out / "run.json").read_text())["numbers"]
    assert f"{numbers['limit']['ssim']:.3f}" in capsys.readouterr().out
    assert numbers["sampling_stderr"] == 0


def test_reproduce_writes_figures_and_numbers(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("reproduce", "theory", "--data", photo, "--networks", "2", "--out", str(out)) == 0
    names = {path.name for path in out.iterdir()}
    figures = {f"theory_{name}.png" for name in ("angles", "kernel_size", "grids")}
    theorems = {f"theorem{name}.json" for name in ("5.2", "5.3", "5.4", "5.4_size", "V")}
    assert names == figures | theorems | {"theory_angles.csv", "theory_kernel_size.csv"}
    assert json.loads((out / "theorem5.4.json").read_text())["verdict"] == "holds"
    with (out / "theory_angles.csv").open() as file:
        assert len({row["width"] for row in csv.DictReader(file)}) == 7


def test_one_bad_photo_does_not_stop_the_others(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff")
    words = ["--layer", "conv1", "--width", "2", "--size", "0", "--out", str(tmp_path / "out")]
    assert run("reconstruct", str(bad), photo, *words) == 2
    captured = capsys.readouterr()
    assert "photo" in captured.out
    (line,) = captured.err.splitlines()
    assert "bad.jpg" in line
    assert run("reconstruct", str(bad), *words[:-1], str(tmp_path / "nothing")) == 2
    assert not (tmp_path / "nothing").exists()


def test_a_photo_too_small_for_the_layer(
    tmp_path: Path, photo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (30, 12)).save(small)
    words = ["--architecture", "alexnet", "--layer", "conv2", "--width", "2", "--size", "0"]
    code = run("reconstruct", str(small), photo, *words, "--out", str(tmp_path / "out"))
    assert code == 2
    captured = capsys.readouterr()
    assert "small.png: alexnet conv2 needs an input of at least 15×15 pixels, got 12×30" in (
        captured.err
    )
    assert "photo" in captured.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "the following arguments are required: VERB"),
        (("frobnicate",), "invalid choice: 'frobnicate'"),
        (("show", "vgg17"), "vgg17"),
        (("show", "vgg16", "--layer", "conv9"), "`layer` must be one of conv1, conv2"),
        (("show", "vgg16", "--size", "0"), "--size is a side such as 227"),
        (("reconstruct", "--size", "-5"), "`size` must be a whole number"),
        (("reconstruct", "--seed", "-1"), "`seed` must be a whole number"),
        (("reconstruct", "--width", "1000000000"), "more than fit a machine"),
        (("shapes", "vgg16", "--width-factor", "1e400"), "positive and finite"),
        (("reproduce",), "`figure` is missing; name one of all, fig1"),
        (("reproduce", "theory", "--delta", "3"), "delta"),
        (("show", "vgg16", "--size", "20x30x40"), "--size is a side such as 227"),
        (("show", "vgg16", "--frob"), "unrecognized arguments: --frob"),
        (("show", "vgg16", "--width", "two"), "width"),
        (("show", "vgg16", "--width", "0"), "`out_channels` must be a positive integer"),
        (("show", "vgg16", "--layer", "conv1_1", "--pooled"), "no pooling after conv1_1"),
        (("shapes", "alexnet", "--size", "20"), "at least"),
        (("reconstruct", "--weights", "gauss"), "must be a law and its scale"),
        (("reconstruct", "nowhere.png"), "nowhere.png: no such file or folder"),
        (("reconstruct", "--config", "nowhere.yaml"), "nowhere.yaml"),
        (("reconstruct", "--out", __file__), "is a file or a dead link; name a folder"),
        (("demo", "--networks", "0"), "`networks` must be at least 1"),
        (("demo", "--size", "0"), "--size must be positive"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert words in line
    assert not list(tmp_path.iterdir())  # nothing half-written


def test_config_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("layer: conv1\nwidth: 5\n")
    assert run("show", "vgg16", "--config", str(file), "--width", "6") == 0
    assert "conv 3×3, 6 → 6, ReLU" in capsys.readouterr().out
    file.write_text("colour: red\n")
    assert run("show", "vgg16", "--config", str(file)) == 2
    assert "colour" in capsys.readouterr().err


@pytest.mark.parametrize("order", ["before", "behind"])
def test_photos_in_a_config_file(
    order: str, tmp_path: Path, photo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"photos: [{photo}]\nlayer: conv1\nwidth: 2\nsize: 32\npooled: true\n")
    words = ["reconstruct", "--config", str(file), "--out", str(tmp_path / "out")]
    assert run(*words) == 0
    (record,) = map(json.loads, (tmp_path / "out" / "records.jsonl").read_text().splitlines())
    assert record["source"] == photo
    assert record["contract"]["inversion"] is True
    assert json.loads((tmp_path / "out" / "run.json").read_text())["config"]["pooled"] is True
    other = tmp_path / "other.png"
    Image.radial_gradient("L").resize((40, 40)).save(other)
    words = [words[0], str(other), *words[1:]] if order == "before" else [*words, str(other)]
    assert run(*words) == 0
    (record,) = map(json.loads, (tmp_path / "out" / "records.jsonl").read_text().splitlines())
    assert record["source"] == str(other)
    for wrong in ("photos: {a: b}", "photos: [1, null]", 'pooled: "no"'):
        file.write_text(wrong)
        capsys.readouterr()
        assert run("reconstruct", "--config", str(file), "--out", str(tmp_path / "no")) == 2, wrong
        assert len(capsys.readouterr().err.splitlines()) == 1
        assert not (tmp_path / "no").exists()


def test_odd_names(photo: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = Path(photo).read_bytes()
    names = [b"n\xff\xfe.png", b"z" * 245 + b".png", "日本.png".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"_" + name)).write_bytes(data)
    words = ["--layer", "conv1", "--width", "2", "--size", "24", "--out", str(tmp_path / "out")]
    assert run("reconstruct", str(tmp_path / "in_*"), "x" * 300 + ".png", *words) == 2
    assert len((tmp_path / "out" / "records.jsonl").read_text().splitlines()) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert "x" * 300 in line


def test_debug_lets_the_traceback_through() -> None:
    with pytest.raises(ValueError, match="`layer` must be one of"):
        main(["show", "vgg16", "--layer", "conv9", "--debug"])


def test_version_and_help_need_no_torch() -> None:
    for argument in ("--version", "--help"):
        code = f"import sys; from preimage.app.cli.main import main; main([{argument!r}])"
        check = "import sys; sys.exit('torch' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", f"try:\n {code}\nexcept SystemExit: pass\n{check}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert (__version__ if argument == "--version" else "reconstruct") in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verb, "--help") == 0
    assert f"usage: preimage {verb}" in capsys.readouterr().out


def test_a_closed_pipe_is_no_error() -> None:
    command = " ".join([*PREIMAGE, "show", "vgg16", "--layer", "conv5"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -n 1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("CNN  3×227×227\n", "")


@pytest.mark.parametrize("moment", ["preimage.app.cli.config", "preimage.paper.overview"])
def test_ctrl_c_says_so(moment: str, tmp_path: Path) -> None:
    """In the first imports, and later; Python reports each import as it ends."""
    words = ["demo", "--networks", "1000", "--out", str(tmp_path / "demo")]
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", *PREIMAGE[1:], *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a script begins with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.split("|")[-1].strip() == moment:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    assert process.returncode == 130
    assert said[-1].startswith("preimage: interrupted")
    assert "Traceback" not in err
