"""`preimage reproduce`: a figure, from its computation to its numbers and what they show."""

import sys
import time
from dataclasses import asdict, fields

from preimage.app.cli.commands import ReproduceCommand, SweepExecution
from preimage.app.cli.lines import command_line
from preimage.data.records import output_folder
from preimage.paper import registry
from preimage.paper.finding import Finding, Incomplete, save_finding, text, with_command
from preimage.paper.options import FigureOptions, TrainingSet
from preimage.sweeps.grid import Execution


def run(config: ReproduceCommand) -> int:
    """Runs what is missing for the figure, writes its findings, and prints them."""
    if config.figure == "all":
        from preimage.app.cli.reproduce_all import run as run_all

        return run_all(config)
    if config.dry_run:
        print(registry.cost(figure_options(config)))
        return 0
    try:
        findings, missing = compute(config), ""
    except Incomplete as stopped:
        findings, missing = stopped.findings, str(stopped)
    folder = output_folder(config.out)
    for finding in findings:
        save_finding(folder, finding, {**asdict(config), "complete": not missing})
    if findings:
        print(text(findings))
        names = dict.fromkeys(name for f in findings for name in (*f.pictures, *f.tables))
        print("\n" + "\n".join(str(folder / name) for name in names))
    if missing:
        print(f"preimage: {missing}", file=sys.stderr)
    return 1 if missing else 0


def compute(config: ReproduceCommand) -> list[Finding]:
    """The findings of one figure, with the command that makes them and its time.

    Raises:
        Incomplete: it was stopped, or parts of it failed.
    """
    without = [field.name for field in fields(SweepExecution)]
    command = command_line("reproduce", config, "figure", without)
    start = time.perf_counter()
    try:
        found = registry.run(figure_options(config))
    except Incomplete as stopped:
        raise Incomplete(
            [with_command(f, command) for f in stopped.findings], str(stopped)
        ) from None
    seconds = round(time.perf_counter() - start, 1)
    return [with_command(finding, command, seconds) for finding in found]


def figure_options(config: ReproduceCommand) -> FigureOptions:
    """The command's options, as the figures take them."""

    def part(kind: type) -> dict[str, object]:
        return {f.name: getattr(config, f.name) for f in fields(kind) if hasattr(config, f.name)}

    execution, training = Execution(**part(Execution)), TrainingSet(**part(TrainingSet))  # type: ignore[arg-type]
    words = part(FigureOptions)
    return FigureOptions(**words, execution=execution, training=training)  # type: ignore[arg-type]
