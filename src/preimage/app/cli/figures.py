"""A figure from the options of `preimage reproduce`: its findings, their command and time."""

import os
from dataclasses import fields

from preimage.app.cli.commands import ReproduceCommand, SweepExecution
from preimage.app.cli.lines import command_line
from preimage.paper import registry
from preimage.paper.finding import Finding, Incomplete, with_command
from preimage.paper.options import FigureOptions, TrainingSet
from preimage.sweeps.grid import Execution


def compute(config: ReproduceCommand) -> list[Finding]:
    """The findings of one figure, with the command that makes them and its time.

    Raises:
        Incomplete: it was stopped, or parts of it failed.
    """
    without = [field.name for field in fields(SweepExecution)]
    command = command_line("reproduce", config, "figure", without)
    start = core_seconds()
    try:
        found = registry.run(figure_options(config))
    except Incomplete as stopped:
        raise Incomplete(
            [with_command(f, command) for f in stopped.findings], str(stopped)
        ) from None
    seconds = round(core_seconds() - start, 1)
    return [with_command(finding, command, seconds) for finding in found]


def core_seconds() -> float:
    """Processor time of this process and of its workers that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def figure_options(config: ReproduceCommand) -> FigureOptions:
    """The command's options, as the figures take them."""

    def part(kind: type) -> dict[str, object]:
        return {f.name: getattr(config, f.name) for f in fields(kind) if hasattr(config, f.name)}

    execution, training = Execution(**part(Execution)), TrainingSet(**part(TrainingSet))  # type: ignore[arg-type]
    words = part(FigureOptions)
    return FigureOptions(**words, execution=execution, training=training)  # type: ignore[arg-type]
