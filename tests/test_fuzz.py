"""The harness of wrong files: its cases can be repeated, and it knows wrong from right."""

import json
import sys
from pathlib import Path
from random import Random

import pytest
from fuzz.mutations import spoil_bytes, spoil_plain
from fuzz.runner import Case, run_cases
from fuzz.subjects import Subject

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the harness is for Linux")


def test_mutations_are_functions_of_the_generator() -> None:
    whole = bytes(range(200))
    first, again = ([spoil_bytes(whole, Random(n), [whole]) for n in range(60)] for _ in range(2))
    assert first == again
    assert sum(spoilt == whole for spoilt in first) < 6
    assert len(set(first)) > 50


def test_plain_data_changes_in_one_place() -> None:
    whole = {"a": [1, 2], "b": {"c": "d"}}
    spoilt = [json.dumps(spoil_plain(whole, Random(n))) for n in range(40)]
    assert whole == {"a": [1, 2], "b": {"c": "d"}}
    assert len(set(spoilt)) > 20


def _outcome(folder: Path, text: str, honest: str | None = None) -> Case:
    """Of a configuration whose bytes are replaced by `text`."""
    (folder / "c").mkdir()
    (folder / "c" / "c.yaml").write_text("layer: conv1\n")

    def spoil(path: Path, generator: Random) -> None:
        path.write_text(text)

    class Always(Subject):
        def spoil_one(self, folder: Path, generator: Random) -> str:
            spoil(folder / "c.yaml", generator)
            return "c.yaml"

    command = ("shapes", "--config", "c.yaml")
    subject = Always("c", 1, ("c.yaml",), command, lambda folder: honest)
    (case,) = run_cases(folder, [subject], 0, [0], 1, float("inf"))
    return case


def test_a_refusal_in_one_line_is_right(tmp_path: Path) -> None:
    case = _outcome(tmp_path, "size: [\n")
    assert (case.outcome, case.right) == ("refused", True)
    assert case.said.startswith("preimage: ")
    assert not list((tmp_path / "cases").iterdir())


def test_success_is_right_where_it_is_honest(tmp_path: Path) -> None:
    assert _outcome(tmp_path, "size: 64\n").outcome == "done"


def test_dishonest_success_is_wrong(tmp_path: Path) -> None:
    case = _outcome(tmp_path, "size: 64\n", "a photo is missing")
    assert (case.outcome, case.right) == ("silent", False)
    assert case.said.startswith("a photo is missing")
