"""A figure from the options of `preimage reproduce`: its findings, their command and time."""

import os
from dataclasses import fields, replace

from preimage.app.cli.commands import ReproduceCommand
from preimage.app.cli.options import command_line
from preimage.paper import registry
from preimage.paper.finding import Finding, Incomplete, with_command
from preimage.paper.options import FigureOptions
from preimage.sweeps.grid import Execution

#: Options of a run that change no number.
EXECUTION = {field.name for field in fields(Execution)} | {"dry_run"}


def compute(config: ReproduceCommand) -> list[Finding]:
    """The findings of one figure, with the command that makes them and its time.

    Raises:
        Incomplete: it was stopped, or parts of it failed.
    """
    command = command_line("reproduce", config, EXECUTION)
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
    """The options of the command's figure."""
    return replace(config.options, figure=config.figure)
