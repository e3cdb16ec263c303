"""Every example in the documents runs, and prints what stands below it."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preimage.app.cli.main import VERBS, main

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in path.parts),
]


def blocks(text: str, language: str) -> list[tuple[str, str]]:
    """(code, what it should print) of each fenced block of a language."""
    pattern = rf"```{language}\n(.*?)```(?:\n\n```text\n(.*?)```)?"
    return [(code, printed or "") for code, printed in re.findall(pattern, text, re.DOTALL)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_examples_print_what_they_say(
    document: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for code, printed in blocks(document.read_text(), "python"):
        exec(compile(code, str(document), "exec"), {})
        assert capsys.readouterr().out == printed
    for picture in tmp_path.glob("*.png"):
        shown = np.asarray(Image.open(ROOT / "docs" / "pictures" / picture.name), dtype=float)
        saved = np.asarray(Image.open(picture), dtype=float)
        assert np.abs(saved - shown).max() <= 1, f"{picture.name} is not the one shown"  # rounding


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_are_ones_that_exist(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = document.read_text()
    lines = re.findall(r"^preimage .*|`(preimage .*?)`", text, re.MULTILINE)
    for line in filter(None, lines):
        _, verb, *options = shlex.split(line, comments=True)
        assert verb in VERBS or verb.startswith("--"), line
        assert main([verb, "--help"] if verb in VERBS else ["--help"]) == 0
        known = capsys.readouterr().out
        for option in (verb, *options):
            if option.startswith("--"):
                assert option in known, line


def test_links_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_architecture_names_every_file() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    tree = text[text.index("## File by file") : text.index("## The way of one photo")]
    files = (path.stem for path in (ROOT / "src" / "preimage").glob("*/**/*.py"))
    missing = {name for name in files if name != "__init__"} - set(re.findall(r"\w+", tree))
    assert not missing, f"docs/architecture.md, File by file: add {', '.join(sorted(missing))}."
