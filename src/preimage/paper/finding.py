"""What a figure shows, beside what the paper states: the unit that reports are made of."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from preimage.data.records import environment, write_json

#: Whether our numbers bear the paper's statement out; `absent`: they can't be had here.
Verdict = Literal["agrees", "disagrees", "undecided", "absent"]


@dataclass(frozen=True)
class Finding:
    """One figure: its files, the paper's statement and ours, each in one sentence.

    Args:
        figure: such as `fig8a`; also the stem of the file that the finding is kept in.
        ours: with its number, interval and n.
        pictures: names of the picture files in the same folder.
        tables: names of the files with the numbers behind the pictures.
        command: the command line that makes it again.
    """

    figure: str
    title: str
    paper: str
    ours: str
    verdict: Verdict
    pictures: tuple[str, ...]
    tables: tuple[str, ...]
    command: str


class Incomplete(Exception):
    """A figure was stopped, or cells of it failed; `findings` are of what is there."""

    def __init__(self, findings: Sequence[Finding], reason: str) -> None:
        super().__init__(reason)
        self.findings = list(findings)


def verdict(agrees: bool | None) -> Verdict:
    """The word for yes, no, or an interval that does not decide."""
    return "undecided" if agrees is None else "agrees" if agrees else "disagrees"


def save_finding(folder: Path, finding: Finding, record: dict[str, Any]) -> Path:
    """Writes `<figure>.json`: the finding, and the record of the run behind it."""
    data = {**asdict(finding), "record": record, "environment": environment()}
    return write_json(folder / f"{finding.figure}.json", data)


def text(findings: Sequence[Finding]) -> str:
    """Findings for the terminal: the paper's sentence, ours, the verdict."""
    return "\n\n".join(
        f"{f.title}\n  paper:   {f.paper}\n  ours:    {f.ours}\n  verdict: {f.verdict}"
        for f in findings
    )
