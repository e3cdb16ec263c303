"""`preimage reproduce`: a figure, from its computation to its numbers and what they show."""

import sys
from pathlib import Path

from preimage.app.cli import reproduce_all
from preimage.app.cli.commands import ReproduceCommand
from preimage.app.cli.estimate import announce
from preimage.app.cli.figures import compute, figure_options
from preimage.app.cli.options import flat
from preimage.data.records import output_folder
from preimage.data.sole_writer import sole_writer
from preimage.paper.finding import Incomplete, save_finding, text
from preimage.paper.registry import cost


def run(config: ReproduceCommand) -> int:
    """Runs what is missing for the figure, writes its findings, and prints them."""
    if config.figure == "all":
        return reproduce_all.run(config)
    options = figure_options(config)
    if config.dry_run:
        print(cost(options))
        return 0
    folder = output_folder(config.options.out)
    with sole_writer(folder):
        if not options.execution.scheduler:  # the speed of its workers is not this machine's
            announce(lambda: cost(options))
        return _run(config, folder)


def _run(config: ReproduceCommand, folder: Path) -> int:
    try:
        findings, missing = compute(config), ""
    except Incomplete as stopped:
        findings, missing = stopped.findings, str(stopped)
    for finding in findings:
        save_finding(folder, finding, {**flat(config), "complete": not missing})
    if findings:
        print(text(findings))
        names = dict.fromkeys(name for f in findings for name in (*f.pictures, *f.tables))
        print("\n" + "\n".join(str(folder / name) for name in names))
    if missing:
        print(f"preimage: {missing}", file=sys.stderr)
    return 1 if missing else 0
