"""`preimage reproduce all`: Table 1 and every figure there is, on one page."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from preimage.app.cli.commands import ReproduceCommand
from preimage.app.cli.estimate import announce, whole
from preimage.app.cli.figures import EXECUTION, compute, figure_options
from preimage.app.cli.options import command_line, flat
from preimage.data.cost import Cost, Plain, Sum
from preimage.data.records import environment, output_folder, write_text
from preimage.data.sole_writer import sole_writer
from preimage.paper import registry
from preimage.paper.finding import Finding, Incomplete, load_finding, save_finding, text
from preimage.paper.findings_page import Section, findings_page
from preimage.paper.kept import kept_findings
from preimage.paper.registry import FIGURES

#: Settings that change no number.
_EXECUTION = EXECUTION | {"figure", "out", "device"}


def run(config: ReproduceCommand) -> int:
    """Computes what `--out` lacks, figure by figure, and writes report.html; 1 if any is absent.

    Without photos to train on, findings that come with the package stand in, and are named.
    """
    folder = output_folder(config.options.out)
    if config.dry_run:
        return _print_costs(config, folder)
    with sole_writer(folder):
        return _run(config, folder)


def _run(config: ReproduceCommand, folder: Path) -> int:
    if not config.options.execution.scheduler:  # the speed of its workers is not this machine's
        announce(lambda: Sum([c for _, c in _costs(config, folder) if not isinstance(c, str)]))
    deadline = None
    if config.options.execution.max_minutes is not None:
        deadline = time.monotonic() + 60 * config.options.execution.max_minutes
    sections = []
    for figure in FIGURES:
        one = replace(config, figure=figure)
        if deadline is not None:
            left = (deadline - time.monotonic()) / 60
            one = _within(one, max(left, 1e-3))
        sections.append(_section(one, folder))
    options = {name: getattr(config.options, name) for name in ("seed", "scale")}
    machine = environment(config.options.device)
    page = findings_page(sections, folder, options, machine, command_line("reproduce", config))
    path = write_text(folder / "report.html", page)
    print(text([finding for section in sections for finding in section.findings]))
    if lines := [_kept_line(section) for section in sections if section.kept]:
        print("\nNot computed here, for want of photos to train on (`--train`, `--held-out`):")
        print("\n".join(lines))
    print(f"\npage: {path}")
    return 1 if any(section.problem for section in sections) else 0


def _section(config: ReproduceCommand, folder: Path) -> Section:
    """A figure of this run, or of the one that the package keeps."""
    figure = config.figure
    if FIGURES[figure].trains and not config.options.training.train:
        return Section(figure, kept=kept_findings()[figure])
    known = _computed(folder, config)
    findings, problem = (known, "") if known else _attempt(config, folder)
    if problem:
        print(f"preimage: {figure}: {problem}", file=sys.stderr)
    return Section(figure, findings, problem=problem)


def _kept_line(section: Section) -> str:
    """Such as `fig2b, of 2026-11-25: fails, fails, holds`."""
    verdicts = ", ".join(kept.finding.verdict for kept in section.kept)
    return f"  {section.figure}, of {section.kept[0].date}: {verdicts}"


def _within(config: ReproduceCommand, minutes: float) -> ReproduceCommand:
    """The same command with this much time left."""
    execution = replace(config.options.execution, max_minutes=minutes)
    return replace(config, options=replace(config.options, execution=execution))


def _print_costs(config: ReproduceCommand, folder: Path) -> int:
    known = list(_costs(config, folder))
    for figure, cost in known:
        if isinstance(cost, str):
            print(f"preimage: {figure}: {cost}", file=sys.stderr)
        else:
            print(cost)
    costs = [cost for _, cost in known if not isinstance(cost, str)]
    print(f"all: {whole(Sum(costs))}")
    return 1 if len(costs) < len(known) else 0


def _costs(config: ReproduceCommand, folder: Path) -> Iterator[tuple[str, Cost | str]]:
    """What each figure takes that is not there, or why that can't be told.

    Networks that several figures are drawn from are the first one's.
    """
    sweeps = set()
    for figure, known in FIGURES.items():
        one = replace(config, figure=figure)
        if known.trains and not config.options.training.train:
            what = f"{figure}, taken from an earlier run; computed with `--train` and `--held-out`"
            yield figure, Plain(what, 0.0)
            continue
        if _computed(folder, one):
            yield figure, Plain(f"{figure}, finished", 0.0)
            continue
        shared = registry.sweep_folder(figure)
        if shared and shared in sweeps:
            yield figure, Plain(f"{figure}, from the networks above", 1.0)
            continue
        sweeps.add(shared)
        try:
            yield figure, registry.cost(figure_options(one))
        except ValueError as error:
            yield figure, str(error)


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


def _computed(folder: Path, config: ReproduceCommand) -> list[Finding]:
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
