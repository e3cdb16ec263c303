"""Every figure beside what the paper states and what we found: one self-contained HTML file."""

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from PIL import Image

from preimage.data.html import picture_uri, template
from preimage.paper.finding import Finding, FindingVerdict
from preimage.paper.kept import KeptFinding
from preimage.paper.registry import FIGURES

_SHOWN_ROWS = 60  # of a table; a longer one is a file inside the page
_LARGEST_TABLE = 300_000  # bytes; a larger one stays beside the page
_WIDEST = 1500  # pixels of a picture: three for each that a line of the page has


@dataclass(frozen=True)
class Section:
    """A figure on the page.

    Args:
        findings: of this run.
        kept: of an earlier one, which came with the package, where this run has none.
        problem: why it is absent or incomplete.
    """

    figure: str
    findings: Sequence[Finding] = ()
    kept: Sequence[KeptFinding] = ()
    problem: str = ""

    @property
    def shown(self) -> list[Finding]:
        """The findings on the page, of whichever run."""
        return [*self.findings, *(kept.finding for kept in self.kept)]


def findings_page(
    sections: Sequence[Section],
    folder: Path,
    options: Mapping[str, Any],
    environment: Mapping[str, Any],
    command: str,
) -> str:
    """The page, with a list of contents.

    Args:
        folder: where the findings' pictures and tables are.
        options: of the run: seed, scale and the like.
        environment: versions and threads, from `records.environment`.
        command: the command line that makes the page again.
    """
    verdicts = [finding.verdict for section in sections for finding in section.shown]
    return template("preimage.paper", "findings.html").render(
        sections=[_section(section, folder) for section in sections],
        counts={name: verdicts.count(name) for name in get_args(FindingVerdict)},
        kept=[FIGURES[section.figure].title for section in sections if section.kept],
        options=options,
        environment=environment,
        command=command,
    )


def _section(section: Section, folder: Path) -> dict[str, Any]:
    names = dict.fromkeys(name for f in section.findings for name in f.pictures)
    tables = dict.fromkeys(name for f in section.findings for name in f.tables)
    told = [finding for finding in section.shown if finding.verdict != "absent"]
    return {
        "figure": section.figure,
        "title": FIGURES[section.figure].title,
        "note": FIGURES[section.figure].note,
        "problem": section.problem,
        "findings": told,
        "absent": [finding for finding in section.shown if finding.verdict == "absent"],
        "dates": sorted({kept.date for kept in section.kept}),
        "command": section.shown[0].command if section.shown else "",
        "pictures": [(_described(told, name), _compressed(folder / name)) for name in names],
        "tables": [_table(folder / name) for name in tables],
    }


def _described(findings: Sequence[Finding], picture: str) -> str:
    """What a picture shows, for those who do not see it: what was found on it."""
    return " ".join(f"{f.claim.title}: {f.ours}." for f in findings if picture in f.pictures)


def _compressed(path: Path) -> str:
    with Image.open(path) as image:
        image.thumbnail((_WIDEST, 10 * _WIDEST))
        return picture_uri(image.convert("RGB"))


def _table(path: Path) -> dict[str, Any]:
    """The rows of a short table; a longer one as a file inside the page, or beside it."""
    data = path.read_bytes()
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"))))
    inside = len(data) <= _LARGEST_TABLE
    address = f"data:text/csv;base64,{base64.b64encode(data).decode()}" if inside else path.name
    return {
        "name": path.name,
        "address": address,
        "heading": rows[0],
        "rows": [[_cell(text) for text in row] for row in rows[1:]]
        if len(rows) - 1 <= _SHOWN_ROWS
        else [],
        "count": len(rows) - 1,
    }


def _cell(text: str) -> str:
    """A number with four digits, or the text as it is."""
    try:
        return text if text.lstrip("-").isdigit() else f"{float(text):.4g}".replace("-", "−")
    except ValueError:
        return text
