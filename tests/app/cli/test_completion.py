"""Completion, installed into a home folder and used by the shells that are there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from command import run

SCRIPTS = {
    "bash": ".local/share/bash-completion/completions/preimage",
    "zsh": ".zsh/completions/_cyclopts_preimage",
    "fish": ".config/fish/completions/preimage.fish",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ZSH", "ZSH_CUSTOM", "ZSH_VERSION", "BASH_VERSION", "FISH_VERSION"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("shell", SCRIPTS)
def test_it_is_where_the_shell_looks(
    shell: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--install-completion", shell) == 0
    script = home / SCRIPTS[shell]
    assert "network-number" in script.read_text()
    out = capsys.readouterr().out
    assert out.startswith(f"{script}")
    assert f"The next {shell} completes" in out
    if shell != "fish":
        assert str(script.parent) in (home / f".{shell}rc").read_text()


def test_twice_is_once_and_a_new_bash_completes(home: Path) -> None:
    for _ in range(2):
        assert run("--install-completion", "bash") == 0
    assert (home / ".bashrc").read_text().count(SCRIPTS["bash"]) == 2  # both on one line
    typed = "COMP_WORDS=(preimage reconstruct --unpool ne); COMP_CWORD=3; _preimage"
    command = f"shopt -s expand_aliases; . ~/.bashrc; {typed}; echo ${{COMPREPLY[@]}}"
    found = subprocess.run(
        ["bash", "--norc", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )
    assert found.stdout == "nearest\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_is_one_that_the_shell_reads(shell: str, home: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    assert run("--install-completion", shell) == 0
    subprocess.run([shell, "-n", str(home / SCRIPTS[shell])], check=True, timeout=60)


def test_the_running_shell_is_found_or_asked_for(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cyclopts.completion.detect.detect_shell", lambda: "fish")
    assert run("--install-completion") == 0
    assert (home / SCRIPTS["fish"]).exists()
    assert run("--install-completion", "tcsh") == 2
    assert "tcsh" in capsys.readouterr().err
