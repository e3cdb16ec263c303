"""`preimage reproduce`: a figure, from its computation to its numbers and what they show."""

import sys
from dataclasses import asdict
from importlib import import_module

from preimage.app.cli.commands import ReproduceCommand
from preimage.data.records import output_folder
from preimage.paper.finding import Finding, Incomplete, save_finding, text

#: figure → the module of `preimage.reproductions` that makes it
FIGURES = {
    "table1": "table1",
    "fig2a": "convergence",
    "fig2b": "convergence",
    "fig2c": "convergence",
    "fig3a": "depth",
    "fig3b": "depth",
    "fig4": "pictures",
    "fig5": "width",
    "fig6": "pictures",
    "fig7": "layers",
    "fig8": "width",
    "fig9": "width",
    "fig10": "kernel_size",
    "theory": "theorems",
}


def run(config: ReproduceCommand) -> int:
    """Runs what is missing for the figure, writes its findings, and prints them."""
    if config.figure == "all":
        code: int = import_module("preimage.app.cli.reproduce_all").run(config)
        return code
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
    """The findings of one figure.

    Raises:
        Incomplete: it was stopped, or parts of it failed.
    """
    module = import_module(f"preimage.paper.{FIGURES[config.figure]}")
    findings: list[Finding] = module.run(config)
    return findings
