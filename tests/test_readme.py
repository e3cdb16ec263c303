"""README's table is what the committed findings say, and they say what their numbers say."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from preimage.paper.finding import Claim, Finding, load_finding, save_finding

ROOT = Path(__file__).parents[1]
FINDINGS = sorted((ROOT / "src" / "preimage" / "paper" / "findings").glob("*.json"))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_readme", ROOT / "tools/write_readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["write_readme"] = module
    spec.loader.exec_module(module)
    return module


def test_readme_holds_the_findings_and_nothing_else(tool: ModuleType) -> None:
    text = tool.README.read_text("utf-8")
    assert tool.with_table(text, tool.table(tool.load_all(tool.FINDINGS))) == text


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.stem)
def test_a_finding_prints_its_own_numbers(path: Path) -> None:
    finding, _ = load_finding(path)
    data = json.loads(path.read_text("utf-8"))
    assert finding.ours == data["ours"]
    assert finding.claim.name == path.stem
    assert finding.verdict in ("holds", "fails", "not decided", "absent")
    assert finding.command.startswith("preimage ")
    assert "/" not in finding.command  # no folder of one machine
    assert data["environment"]["preimage"]
    assert isinstance(data["record"]["seed"], int)


@pytest.fixture
def finding() -> Finding:
    claim = Claim("fig8a", "fig8", "Figure 8a: SSIM by width", "quality | grows")
    found = claim.finding("grows by {x:+.2f}", True, {"x": -0.5}, brief="|r| {x:+.2f}")
    command = "preimage reproduce fig8 --data /mnt/photos --scale paper --out /tmp/out"
    return replace(found, command=command, seconds=400.0)


def test_a_command_stands_once_for_its_rows(tool: ModuleType, finding: Finding) -> None:
    other = replace(finding, command="preimage reproduce fig9")
    rows = tool.table([finding, finding, other, finding]).splitlines()[2:]
    commands = [row.split(" | ")[1:3] for row in rows]
    assert commands[1] == ["", ""]
    assert commands[0] == commands[3] != commands[2] == ["`preimage reproduce fig9`", "7 min"]


def test_a_row_in_markdown(tool: ModuleType, finding: Finding) -> None:
    row = tool.table([finding]).splitlines()[-1]
    assert row == (
        "| Figure 8a | `preimage reproduce fig8 --data /mnt/photos --scale paper --out /tmp/out` "
        "| 7 min | quality \\| grows | holds | \\|r\\| −0.50 |"
    )


def test_collecting_leaves_the_machine_behind(
    tool: ModuleType, finding: Finding, tmp_path: Path
) -> None:
    source, target = tmp_path / "run", tmp_path / "findings"
    save_finding(source, finding, {"seed": 3, "out": "/tmp/out", "complete": True})
    partial = replace(finding, claim=replace(finding.claim, name="fig9a"))
    save_finding(source, partial, {"seed": 3, "complete": False})
    (source / "run.json").write_text("{}")
    tool.collect(source, target)
    (path,) = target.iterdir()
    text = path.read_text()
    assert "/tmp" not in text
    assert "/mnt" not in text
    found, record = load_finding(path)
    assert found.command == "preimage reproduce fig8 --data PHOTOS --scale paper"
    assert record == {"seed": 3}
    tool.collect(source, target, partial=True)
    assert {path.name for path in target.iterdir()} == {"fig8a.json", "fig9a.json"}


@pytest.mark.parametrize(
    ("command", "public"),
    [
        ("preimage demo --out /tmp/x --networks 3", "preimage demo --networks 3"),
        ("preimage demo --photos /a/b.jpg /c/*.png", "preimage demo --photos PHOTOS"),
        (
            "preimage reproduce fig3a --train /a/b --held-out /c/d --trained /e/f /g/h",
            "preimage reproduce fig3a --train PHOTOS --held-out OTHERS --trained ENCODERS",
        ),
    ],
)
def test_paths_become_names(tool: ModuleType, command: str, public: str) -> None:
    assert tool.public_command(command) == public


def test_a_table_needs_its_markers(tool: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"README\.md must hold the markers"):
        tool.with_table("no markers", "")
