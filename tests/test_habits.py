"""Files that other programs read: they parse, and say what the code says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from preimage._version import __version__

ROOT = Path(__file__).parents[1]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_issue_forms_ask_for_the_machine(form: Path) -> None:
    data = yaml.safe_load(form.read_text("utf-8"))
    assert {"name", "description", "body"} <= data.keys()
    kinds = {"textarea", "markdown", "input", "dropdown", "checkboxes"}
    assert {part["type"] for part in data["body"]} <= kinds
    assert any("`preimage info`" in str(part) for part in data["body"])


def test_the_citation_is_of_this_version() -> None:
    citation, zenodo = read("CITATION.cff"), json.loads((ROOT / ".zenodo.json").read_text("utf-8"))
    assert citation["version"] == __version__
    assert (zenodo["title"], zenodo["license"]) == (citation["title"], citation["license"])
    assert [one["name"] for one in zenodo["creators"]] == [
        one["name"] for one in citation["authors"]
    ]


def test_hooks_are_the_linters_of_make_lint() -> None:
    (local,) = read(".pre-commit-config.yaml")["repos"]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert lint is not None
    for hook in local["hooks"]:
        tool = hook["entry"].removeprefix(".venv/bin/").split(" --")[0]
        assert f"$(BIN)/{tool}" in lint.group(1), hook["id"]


def test_only_the_publishing_job_gets_a_token_and_only_for_tags() -> None:
    release = read(".github/workflows/release.yml")
    assert release["permissions"] == {"contents": "read"}
    publish = release["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["if"] == "github.ref_type == 'tag'"
    assert not any("password" in str(step) or "secrets" in str(step) for step in publish["steps"])
    assert any(step.get("run") == "make dist" for step in release["jobs"]["build"]["steps"])
