"""`preimage probe`: what layers of a model retain, against random twins."""

from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from preimage.app.cli.options import command_line
from preimage.app.cli.probe_commands import ProbeCommand
from preimage.data.memory import MemorySource, open_squares
from preimage.data.tables import text_table
from preimage.probing.costs import probe_cost
from preimage.probing.enough_memory import require_photos
from preimage.probing.models import OpenModel, open_model
from preimage.probing.preprocessing import Preprocessing, changed_preprocessing
from preimage.probing.probe import probe


def run(command: ProbeCommand) -> int:
    """Probes, prints the table and writes the page and the numbers."""
    opened = open_model(command.model, command.weights)
    preprocessing = changed_preprocessing(opened.preprocessing, **asdict(command.pixels))
    require_photos(opened.model, (preprocessing.size, preprocessing.size))
    sources = _open(command, preprocessing.size)
    photos = {argument: source.pixels for argument, source in sources.items()}
    training, held_out = photos["data"], photos.get("held_out")
    if command.dry_run:
        print(_cost(command, opened, training, held_out, preprocessing))
        return 0
    result = probe(
        opened.model,
        training,
        _layers(command),
        held_out=held_out,
        other=photos.get("other"),
        preprocessing=preprocessing,
        twins=command.twins,
        initialisation=command.initialisation or opened.make,
        window=command.window,
        positions=command.positions or None,
        components=command.components or None,
        leakage=command.leakage,
        bands=command.bands,
        rungs=command.rungs,
        seed=command.seed,
        out=command.out,
    )
    folder = Path(command.out)
    result.record.update(
        {
            "model": opened.name,
            "weights": command.weights or "untrained",
            "skipped": {name: list(source.problems) for name, source in sources.items()},
            "command": command_line("probe", command),
        }
    )
    result.save(folder / "probe.json")
    print(f"{result}\n\n{result.save(folder / 'probe.html')}")
    return 0


def _open(command: ProbeCommand, side: int) -> dict[str, MemorySource]:
    """The photos of each option that is given; `data` must be."""
    count, strict = command.photos or None, command.strict
    return {
        argument: open_squares(
            getattr(command, argument), side, count, argument=argument, strict=strict
        )
        for argument in ("data", "held_out", "other")
        if argument == "data" or getattr(command, argument)
    }


def _cost(
    command: ProbeCommand,
    opened: OpenModel,
    training: Tensor,
    held_out: Tensor | None,
    preprocessing: Preprocessing,
) -> str:
    """What a dry run says."""
    cost = probe_cost(
        opened.model,
        training,
        _layers(command),
        preprocessing=preprocessing,
        held_out=held_out,
        twins=command.twins,
        window=command.window,
        rungs=command.rungs,
    )
    rows = [
        (target.name, str(target.layout), "" if target.stride is None else str(target.stride))
        for target in cost.targets
    ]
    most = {"inversion": "at most "}
    more = "".join(
        f", {rung} {most.get(rung, 'about ')}{seconds / 60:.1f} more"
        for rung, seconds in cost.rungs.items()
    )
    return (
        f"{opened.name}, {cost.networks} networks, {cost.training} photos to fit to, "
        f"{cost.held_out} to score: about {cost.seconds / 60:.1f} minutes on this machine{more}\n\n"
        + text_table(("layer", "features", "pixels apart"), rows)
    )


def _layers(command: ProbeCommand) -> str | list[str]:
    return "auto" if command.layers == ("auto",) else list(command.layers)
