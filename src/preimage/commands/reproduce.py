"""`preimage reproduce`: a figure, from its computation to its numbers and what they show."""

from dataclasses import asdict
from importlib import import_module

from preimage.config import ReproduceCommand
from preimage.findings import save_finding, text
from preimage.results import output_folder

#: figure → the module of `preimage.reproductions` that makes it
FIGURES = {"theory": "theory"}


def run(config: ReproduceCommand) -> int:
    """Runs what is missing for the figure, writes its findings, and prints them."""
    module = import_module(f"preimage.reproductions.{FIGURES[config.figure]}")
    findings = module.run(config)
    folder = output_folder(config.out)
    for finding in findings:
        save_finding(folder, finding, asdict(config))
    if findings:
        print(text(findings))
        pictures = dict.fromkeys(name for finding in findings for name in finding.pictures)
        print("\n" + "\n".join(str(folder / name) for name in pictures))
    return 0
