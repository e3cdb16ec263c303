"""`preimage reproduce all`: Table 1 and every figure there is, on one page."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from preimage.app.cli.commands import ReproduceCommand
from preimage.app.cli.figures import EXECUTION, compute, figure_options
from preimage.app.cli.options import command_line, flat
from preimage.data.records import environment, output_folder, write_text
from preimage.data.sole_writer import sole_writer
from preimage.paper.finding import Finding, Incomplete, load_finding, save_finding, text
from preimage.paper.page import findings_page
from preimage.paper.registry import FIGURES, cost

#: Settings that change no number.
_EXECUTION = EXECUTION | {"figure", "out", "device"}


def run(config: ReproduceCommand) -> int:
    """Computes what `--out` lacks, figure by figure, and writes report.html; 1 if any is absent."""
    folder = output_folder(config.options.out)
    if config.dry_run:
        return _print_costs(config)
    with sole_writer(folder):
        return _run(config, folder)


def _run(config: ReproduceCommand, folder: Path) -> int:
    deadline = None
    if config.options.execution.max_minutes is not None:
        deadline = time.monotonic() + 60 * config.options.execution.max_minutes
    findings: dict[str, list[Finding]] = {}
    problems: dict[str, str] = {}
    for figure in FIGURES:
        one = replace(config, figure=figure)
        if deadline is not None:
            left = (deadline - time.monotonic()) / 60
            one = _within(one, max(left, 1e-3))
        known = _kept(folder, one)
        findings[figure], problem = (known, "") if known else _attempt(one, folder)
        if problem:
            problems[figure] = problem
            print(f"preimage: {figure}: {problem}", file=sys.stderr)
    page = findings_page(
        findings,
        problems,
        folder,
        environment(config.options.device),
        command_line("reproduce", config),
    )
    path = write_text(folder / "report.html", page)
    print(text([finding for several in findings.values() for finding in several]))
    print(f"\npage: {path}")
    return 1 if problems else 0


def _within(config: ReproduceCommand, minutes: float) -> ReproduceCommand:
    """The same command with this much time left."""
    execution = replace(config.options.execution, max_minutes=minutes)
    return replace(config, options=replace(config.options, execution=execution))


def _print_costs(config: ReproduceCommand) -> int:
    code = 0
    for figure in FIGURES:
        try:
            print(cost(figure_options(replace(config, figure=figure))))
        except ValueError as error:
            print(f"preimage: {figure}: {error}", file=sys.stderr)
            code = 1
    return code


def _attempt(config: ReproduceCommand, folder: Path) -> tuple[list[Finding], str]:
    """A figure's findings, and what is wrong with it; no failure of one stops the others."""
    try:
        findings, problem = compute(config), ""
    except Incomplete as stopped:
        findings, problem = stopped.findings, str(stopped)
    except Exception as error:
        findings, problem = [], " ".join(str(error).split()) or type(error).__name__
    for finding in findings:
        save_finding(folder, finding, {**flat(config), "complete": not problem})
    return findings, problem


def _kept(folder: Path, config: ReproduceCommand) -> list[Finding]:
    """The findings of a figure that an earlier run left here complete, with the same settings."""
    wanted = _settings(flat(config))
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            finding, record = load_finding(path)
            same = record["figure"] == config.figure and record["complete"]
        except (ValueError, KeyError, TypeError):
            continue
        if same and _settings(record) == wanted:
            found.append(finding)
    there = all((folder / name).exists() for f in found for name in (*f.pictures, *f.tables))
    return found if there else []


def _settings(record: dict[str, object]) -> dict[str, object]:
    kept = {key: value for key, value in record.items() if key not in _EXECUTION | {"complete"}}
    return json.loads(json.dumps(kept))  # type: ignore[no-any-return]
