import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import run

from preimage import __version__
from preimage.app.cli.main import VERBS, main

PREIMAGE = [sys.executable, "-m", "preimage"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name one of demo, evaluate, fit"),
        (("frobnicate",), "`frobnicate` is no verb; name one of demo, evaluate"),
        (("--frobnicate",), "--frobnicate"),
        (("show", "vgg17"), 'Invalid value "vgg17" for ARCHITECTURE'),
        (("show", "vgg16", "--layer", "conv9"), "--layer must be one of conv1, conv2"),
        (("show", "vgg16", "--size", "0"), "--size must be a side such as 227"),
        (("show", "vgg16", "--size", "20x30x40"), "--size must be a side such as 227"),
        (("show", "vgg16", "--size", "9" * 5000), "HEIGHTxWIDTH, from 1 to 16384, got '999"),
        (("show", "vgg16", "--frob"), "Unknown option: --frob"),
        (("show", "vgg16", "--width", "two"), '--width: unable to convert "two" into int'),
        (("show", "vgg16", "--width", "4.5"), "--width: 4.5 is not a whole number"),
        (("show", "vgg16", "--width", "0"), "--width must be an integer from 1 on, got 0"),
        (("show", "vgg16", "--layer", "conv1_1", "--pooled"), "no pooling after conv1_1"),
        (
            ("shapes", "vgg16", "--width-factor", "1e400"),
            "must be a number above 0, got inf",
        ),
        (("shapes", "alexnet", "--size", "20"), "at least"),
        (("reconstruct", "--size", "-5"), "--size must be an integer from 0 to 16384, got -5"),
        (("reconstruct", "--seed", "-1"), "--seed must be a nonnegative integer"),
        (("reconstruct", "--width", "1000000000"), "choose a smaller --width"),
        (("reconstruct", "--architecture", "resnet18"), "preimage fit --model decodes one"),
        (("show", "resnet18"), "Of any other network, preimage probe --model measures the layers"),
        (("reconstruct", "--weights", "gauss"), "--weights: gauss: no such file; it takes a law"),
        (("reconstruct", "nowhere.png"), "nowhere.png: no such file or folder"),
        (("reconstruct", "--config", "nowhere.yaml"), "--config nowhere.yaml: no such file"),
        (("reconstruct", "--config", sys.executable), "UnicodeDecodeError"),
        (("reconstruct", "--out", __file__), "--out must be a folder"),
        (("reproduce",), "--figure is missing; name one of all, fig1"),
        (("layers",), "--model is missing. (see preimage layers --help)"),
        (("layers", "vgg16", "--size"), "--size requires an argument"),
        (
            ("reproduce", "theory", "--delta", "3"),
            "--delta must be a number above 0, below 1",
        ),
        (("evaluate",), "--decoder"),
        (("train", "--feature-scaling", "perhaps"), "perhaps is neither true nor false"),
        (("demo", "--networks", "0"), "--networks must be an integer from 1 on"),
        (("demo", "--size", "0"), "--size must be an integer from 1 to 16384"),
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


def test_debug_lets_the_traceback_through() -> None:
    with pytest.raises(ValueError, match="`layer` must be one of"):
        main(["show", "vgg16", "--layer", "conv9", "--debug"])


# --- help, version, completion ------------------------------------------------------------------


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert [verb for verb in VERBS if f"│ {verb} " in out] == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verb, "--help") == 0
    out = capsys.readouterr().out
    assert re.match(rf"Usage: preimage {verb} .*\[OPTIONS\]", out)
    assert "--config" in out
    for noise in ("Literal", "type:", "None", "null", "()", "MISSING"):
        assert noise not in out


def test_help_needs_no_torch() -> None:
    code = f"""
import sys
from preimage.app.cli.main import main
for words in (["--version"], ["--help"], *([verb, "--help"] for verb in {list(VERBS)})):
    assert main(words) == 0
    assert "torch" not in sys.modules, words
"""
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True, timeout=60)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--completion", shell) == 0
    out = capsys.readouterr().out
    for word in ("reconstruct", "network-number", "torchvision_alexnet"):
        assert word in out


def test_bash_completes_a_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--completion", "bash") == 0
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out)
    typed = "COMP_WORDS=(preimage show --unpool ne); COMP_CWORD=3; _preimage"
    done = subprocess.run(
        ["bash", "-c", f'source {script}; {typed}; echo "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["nearest"]


# --- --config -----------------------------------------------------------------------------------


def test_config_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("layer: conv1\nwidth: 5\n")
    assert run("show", "vgg16", "--config", str(file), "--width", "6") == 0
    assert "conv 3×3, 6 → 6, ReLU" in capsys.readouterr().out
    assert run("show", "vgg16", "--config", str(file)) == 0
    assert "conv 3×3, 5 → 5, ReLU" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verb", "text", "words"),
    [
        ("show", "colour: red", '"[colour]"'),
        ("show", "width: [a", "not a YAML file of options (expected ',' or ']'"),
        ("show", "layer: a: b", "mapping values are not allowed here, line 1"),
        ("show", "a: " + "[" * 5000, "RecursionError"),
        ("show", "3", "must be a mapping"),
        ("show", "width: 4.5", "4.5 is not a whole number"),
        ("reconstruct", "photos: {a: b}", '"[photos][a]"'),
        ("reconstruct", "photos: [1, null]", '"null"'),
        ("reconstruct", "pooled: 3", "[pooled]"),
        # `train` is an option of `reproduce` besides being a verb.
        ("reproduce", "figure: fig4\ntrain: [a, b]", "[train]"),
    ],
)
def test_a_config_file_that_does_not_fit(
    verb: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    arguments = ["--out", str(tmp_path / "no")] if verb != "show" else []
    assert run(verb, "--config", str(file), *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "no").exists()


def test_print_config_is_a_config_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "--width", "4", "16", "--pooled", "--max-minutes", "3", "--layer", "conv2"]
    assert run(*words, "--print-config") == 0
    printed = capsys.readouterr().out
    file = tmp_path / "run.yaml"
    file.write_text(printed)
    assert run("sweep", "--config", str(file), "--print-config") == 0
    assert capsys.readouterr().out == printed
    assert "width:\n- 4\n- 16\n" in printed


# --- processes ----------------------------------------------------------------------------------


def test_a_closed_pipe_is_no_error() -> None:
    command = " ".join([*PREIMAGE, "show", "vgg16", "--layer", "conv5"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -n 1"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("CNN  3×227×227\n", "")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device); files that"),
        (OSError(errno.EIO, "Input/output error", "a/b.png"), "(a/b.png: Input/output error); fi"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), "preimage: a: Permission denied"),
    ],
)
def test_a_disk_that_fails(
    error: OSError, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from preimage.app.cli import show

    def fail(command: object) -> int:
        raise error

    monkeypatch.setattr(show, "run", fail)
    assert run("show", "vgg16") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


#: Sends itself Ctrl-C when a module is imported: at the start, in the verb's imports, at work.
INTERRUPTED = """
import os, signal, sys
from importlib.abc import MetaPathFinder

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job begins with it ignored

class Interrupt(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {moment!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from preimage.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("moment", ["preimage.app.cli.options", "preimage.paper.overview"])
def test_ctrl_c_says_so(moment: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(moment=moment), "demo", "--networks", "1000"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        timeout=120,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr == "preimage: interrupted.\n"


def test_ctrl_c_in_the_middle_of_a_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from preimage.data.cost import Plain
    from preimage.paper import overview

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(overview, "cost", lambda *_: Plain("", 0.0))
    monkeypatch.setattr(overview, "run", interrupted)
    # A job in the background begins with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run("demo", "--size", "32", "--out", str(tmp_path / "demo")) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.splitlines()[-1] == "preimage: interrupted."
