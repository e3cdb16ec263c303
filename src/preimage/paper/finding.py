"""What a figure shows, beside what the paper states: the unit that pages and README are made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from math import ceil, inf
from pathlib import Path
from typing import Any, Literal

from preimage.data.records import environment, write_json
from preimage.data.tables import duration
from preimage.network.device import resolve_device
from preimage.notebook.gallery import Gallery
from preimage.notebook.view import Shown
from preimage.paper.decision import Decision, together
from preimage.scores.statistics import Interval

#: Whether our numbers bear the paper's statement out; `absent`: they can't be had here.
FindingVerdict = Literal["holds", "fails", "not decided", "absent"]
#: A number that a sentence prints: an interval, a plain number, or a name (of the best law, say).
Number = Interval | float | int | str


@dataclass(frozen=True)
class Claim:
    """One statement of the paper, declared once beside the computation that tests it.

    Args:
        name: such as `fig8a_growth`; also the stem of the file that its finding is kept in.
        figure: the figure of `preimage.paper.registry` that it belongs to.
        title: such as `Figure 8a: SSIM by width, the original network`.
        statement: the paper's, in one sentence.
    """

    name: str
    figure: str
    title: str
    statement: str

    def finding(
        self,
        sentence: str,
        holds: Decision | bool | None,
        numbers: Mapping[str, Number],
        *,
        brief: str = "",
        units: Mapping[str, str] | None = None,
        pictures: Sequence[str] = (),
        tables: Sequence[str] = (),
    ) -> "Finding":
        """What was measured, and whether the statement holds; None where that is not decided.

        Raises:
            ValueError: a sentence prints a number that `numbers` lacks.
        """
        finding = Finding(
            self,
            sentence,
            holds if isinstance(holds, Decision) else Decision.fact(holds),
            dict(numbers),
            brief or sentence,
            dict(units or {}),
            tuple(pictures),
            tuple(tables),
        )
        try:
            _ = finding.ours, finding.in_brief
        except KeyError as missing:
            raise ValueError(f"`numbers` of {self.name} lack {missing}.") from None
        return finding

    def absent(self, reason: str) -> "Finding":
        """The finding of a statement that can't be tested here."""
        return Finding(self, reason.replace("{", "{{").replace("}", "}}"), None)


@dataclass(frozen=True, repr=False)
class Finding(Shown):
    """A claim of the paper, our numbers, and the verdict.

    Args:
        decision: None where nothing could be measured.
        sentence: ours, as a format string over `numbers`: `"SSIM grows by {growth:+.3f}"`.
        numbers: everything that the sentences print, by name.
        brief: the shorter sentence of README's table, a format string as well.
        units: of those numbers that have one.
        pictures: names of the picture files in the same folder.
        tables: names of the files with the numbers behind the pictures.
        command: the command line that makes it again; the command line's own business.
        seconds: what that took one core, sweeps of earlier runs included.
    """

    claim: Claim
    sentence: str
    decision: Decision | None
    numbers: dict[str, Number] = field(default_factory=dict)
    brief: str = ""
    units: dict[str, str] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    command: str = ""
    seconds: float | None = None

    def __repr__(self) -> str:
        return f"Finding({self.claim.name}: {self.verdict_text}; {self.in_brief})"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"what": "paper", "value": self.claim.statement},
            {"what": "ours", "value": self.ours},
            {"what": "verdict", "value": self.verdict_text},
        ]

    @property
    def ours(self) -> str:
        """The sentence with its numbers."""
        return _filled(self.sentence, self.numbers)

    @property
    def in_brief(self) -> str:
        """The short sentence with its numbers."""
        return _filled(self.brief or self.sentence, self.numbers)

    @property
    def verdict(self) -> FindingVerdict:
        """Whether the statement holds, by these numbers."""
        return "absent" if self.decision is None else self.decision.verdict

    @property
    def effort(self) -> str:
        """What would decide where these numbers do not: how many values, how long on one core."""
        if self.decision is None or self.decision.needed is None:
            return ""
        needed, now, over = self.decision.needed, self.decision.values, self.decision.over
        each = ceil(needed / self.decision.samples)
        kinds = " of each kind" if self.decision.samples > 1 else ""
        # Photos cost little: they are scored, and nothing is trained again.
        seconds = self.seconds if over == "networks" else None
        time = f", {duration(seconds * needed / now)}" if seconds and now else ""
        return f"would take about {each:,} {over}{kinds}{time}"

    @property
    def verdict_text(self) -> str:
        """The verdict, and what would decide where these numbers do not."""
        return self.verdict + (f" ({self.effort})" if self.effort else "")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; `from_dict` reads it."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["claim"] = asdict(self.claim)
        data["decision"] = self.decision and _evidence(self.decision)
        data["numbers"] = {name: _plain(value) for name, value in self.numbers.items()}
        return {**data, "verdict": self.verdict, "ours": self.ours}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Finding":
        """The finding that `to_dict` wrote.

        Raises:
            KeyError, TypeError: it did not.
        """
        words = {name: data[name] for name in cls.__dataclass_fields__}
        words["claim"] = Claim(**data["claim"])
        words["decision"] = data["decision"] and _decision(data["decision"])
        words["numbers"] = {name: _number(value) for name, value in data["numbers"].items()}
        for name in ("pictures", "tables"):
            words[name] = tuple(data[name])
        return cls(**words)


class Findings(Gallery[Finding]):
    """A list of findings, which a notebook shows as a table of statements and verdicts."""

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"statement": one.claim.statement, "verdict": one.verdict_text, "ours": one.in_brief}
            for one in self
        ]


class Incomplete(Exception):
    """A figure was stopped, or cells of it failed; `findings` are of what is there."""

    def __init__(self, findings: Sequence[Finding], reason: str) -> None:
        super().__init__(reason)
        self.findings = list(findings)


def save_finding(folder: Path, finding: Finding, record: Mapping[str, Any]) -> Path:
    """Writes `<name>.json`: the finding, and the record of the run behind it."""
    data = {
        **finding.to_dict(),
        "date": datetime.now(UTC).date().isoformat(),
        "record": dict(record),
        "environment": environment(resolve_device(str(record.get("device", "cpu")))),
    }
    return write_json(folder / f"{finding.claim.name}.json", data)


def load_finding(path: Path) -> tuple[Finding, dict[str, Any]]:
    """A finding and the record of its run.

    Raises:
        ValueError: no such file, or another one.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        return Finding.from_dict(data), data["record"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a finding ({type(error).__name__}).") from None


def with_command(finding: Finding, command: str, seconds: float | None = None) -> Finding:
    """The finding, with the command that makes it again and what that took one core.

    What an earlier run has left to this one counts with it: the longer time stands.
    """
    times = [value for value in (seconds, finding.seconds) if value is not None]
    return replace(finding, command=command, seconds=max(times, default=None))


def decided_together(findings: Sequence[Finding]) -> list[Finding]:
    """The findings of one figure, corrected for their number: one figure in twenty may err."""
    decided = [finding.decision for finding in findings if finding.decision is not None]
    levels = iter(together(decided))
    return [f if f.decision is None else replace(f, decision=next(levels)) for f in findings]


def text(findings: Sequence[Finding]) -> str:
    """Findings for the terminal: the paper's sentence, ours, the verdict."""
    return "\n\n".join(
        f"{f.claim.title}\n  paper:   {f.claim.statement}\n  ours:    {f.ours}\n"
        f"  verdict: {f.verdict_text}"
        for f in findings
    )


def _filled(sentence: str, numbers: Mapping[str, Number]) -> str:
    # The field's minus sign, where a plain number is negative; intervals write it themselves.
    printed = {name: _Printed(value) for name, value in numbers.items()}
    return sentence.format_map(printed)


class _Printed:
    def __init__(self, value: Number) -> None:
        self.value = value

    def __getattr__(self, name: str) -> "_Printed":  # `{decay.mean:.2f}`: without its interval
        return _Printed(getattr(self.value, name))

    def __format__(self, spec: str) -> str:
        text = format(self.value, spec)
        return text if isinstance(self.value, str) else text.replace("-", "−")


def _evidence(decision: Decision) -> dict[str, Any]:
    names = ("supports", "opposes", "level", "values", "over", "samples", "needed")
    return {name: getattr(decision, name) for name in names}


def _decision(data: Mapping[str, Any]) -> Decision:
    words = dict(data)
    needed = words.pop("needed")
    return Decision(**words, needed_at=lambda level: needed)


def _plain(value: Number) -> Any:
    """As JSON has it: without infinity."""
    if not isinstance(value, Interval):
        return None if value == inf else value
    return {
        "mean": value.mean,
        "half_width": _plain(value.half_width),
        "n": value.n,
        "stderr": _plain(value.stderr),
        "degrees": value.degrees,
    }


def _number(value: Any) -> Number:
    if isinstance(value, dict):
        stderr = inf if value["stderr"] is None else value["stderr"]
        return Interval(value["mean"], stderr, value["n"], value["degrees"])
    return inf if value is None else value
