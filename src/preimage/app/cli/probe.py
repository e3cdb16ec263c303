"""`preimage probe`: what layers of a model retain, against random twins."""

from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from preimage.app.cli.options import command_line
from preimage.app.cli.probe_commands import ProbeCommand
from preimage.data.memory import open_squares
from preimage.data.tables import text_table
from preimage.probing.costs import ProbeCost, probe_cost
from preimage.probing.models import OpenModel, open_model
from preimage.probing.preprocessing import changed_preprocessing
from preimage.probing.probe import probe


def run(command: ProbeCommand) -> int:
    """Probes, prints the table and writes the page and the numbers."""
    opened = open_model(command.model, command.weights)
    preprocessing = changed_preprocessing(opened.preprocessing, **asdict(command.pixels))
    layers = "auto" if command.layers == ("auto",) else list(command.layers)
    side = preprocessing.size
    training = open_squares(command.data, side, command.photos or None).pixels
    held_out = _photos(command, "held_out", side)
    if command.dry_run:
        cost = probe_cost(
            opened.model,
            training,
            layers,
            preprocessing=preprocessing,
            held_out=held_out,
            twins=command.twins,
            window=command.window,
        )
        print(_cost_table(opened, cost))
        return 0
    result = probe(
        opened.model,
        training,
        layers,
        held_out=held_out,
        other=_photos(command, "other", side),
        preprocessing=preprocessing,
        twins=command.twins,
        initialisation=command.initialisation or opened.make,
        window=command.window,
        positions=command.positions or None,
        components=command.components or None,
        leakage=command.leakage,
        seed=command.seed,
        out=command.out,
    )
    folder = Path(command.out)
    result.record["command"] = command_line("probe", command)
    result.save(folder / "probe.json")
    print(f"{result}\n\n{folder / 'probe.json'}")
    return 0


def _photos(command: ProbeCommand, argument: str, size: int) -> Tensor | None:
    """The photos of an option; None if it is not given."""
    source: str = getattr(command, argument)
    if not source:
        return None
    return open_squares(source, size, command.photos or None, argument=argument).pixels


def _cost_table(opened: OpenModel, cost: ProbeCost) -> str:
    rows = [
        (target.name, str(target.layout), "" if target.stride is None else str(target.stride))
        for target in cost.targets
    ]
    return (
        f"{opened.name}, {cost.networks} networks, {cost.training} photos to fit to, "
        f"{cost.held_out} to score: about {cost.seconds / 60:.1f} minutes on this machine\n\n"
        + text_table(("layer", "features", "pixels apart"), rows)
    )
