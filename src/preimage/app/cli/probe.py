"""`preimage probe`: what layers of a model retain, against random twins."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from torch import Tensor

from preimage.app.cli.estimate import announce, whole
from preimage.app.cli.options import command_line
from preimage.app.cli.probe_commands import ProbeCommand
from preimage.data.memory import MemorySource, open_squares
from preimage.data.tables import duration, text_table
from preimage.probing.costs import ProbeCost, probe_cost
from preimage.probing.enough_memory import require_photos
from preimage.probing.given_model import OpenModel
from preimage.probing.models import open_model
from preimage.probing.preprocessing import Preprocessing, changed_preprocessing
from preimage.probing.probe import probe
from preimage.retention.layer import KernelOptions
from preimage.retention.positions import Sampling


def run(command: ProbeCommand) -> int:
    """Probes, prints the table and writes the page and the numbers."""
    opened = open_model(command.model, command.weights)
    preprocessing = changed_preprocessing(opened.preprocessing, **asdict(command.pixels))
    require_photos(opened.model, (preprocessing.size, preprocessing.size))
    sources = _open(command, preprocessing.size)
    photos = {argument: source.pixels for argument, source in sources.items()}
    skipped = {argument: list(source.problems) for argument, source in sources.items()}
    measure = partial(_cost, command, opened, photos, preprocessing)
    if command.dry_run:
        print(_sizes(command, opened, measure()))
        return 0
    # Photos are timed on an eighth of all their ways through networks, or fewer.
    if batch_size := min(8, sum(map(len, photos.values())) * (1 + command.twins) // 32):
        announce(lambda: measure(batch_size))
    result = probe(
        opened.model,
        photos["data"],
        _layers(command),
        held_out=photos.get("held_out"),
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
        infinite_width=_kernels(command),
        seed=command.seed,
        out=command.out,
    )
    made = {"model": opened.name, "weights": command.weights or "untrained", "skipped": skipped}
    result.record.update(made, command=command_line("probe", command))
    folder = Path(command.out)
    result.save(folder / "probe.json")
    print(f"{result}\n\n{result.save(folder / 'probe.html')}")
    return 0


def _kernels(command: ProbeCommand) -> KernelOptions | None:
    """Half as many positions are scored as are fitted to; rows of kernels are kept."""
    count = command.infinite_width
    if not count:
        return None
    sampling = Sampling(count, -(-count // 2), seed=command.seed)
    return KernelOptions(sampling=sampling, folder=Path(command.out) / "kernels")


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
    photos: Mapping[str, Tensor],
    preprocessing: Preprocessing,
    batch_size: int = 8,
) -> ProbeCost:
    return probe_cost(
        opened.model,
        photos["data"],
        _layers(command),
        preprocessing=preprocessing,
        held_out=photos.get("held_out"),
        twins=command.twins,
        window=command.window,
        batch_size=batch_size,
        rungs=command.rungs,
        out=command.out,
    )


def _sizes(command: ProbeCommand, opened: OpenModel, cost: ProbeCost) -> str:
    """What a dry run says."""
    rows = [
        (target.name, str(target.layout), "" if target.stride is None else str(target.stride))
        for target in cost.targets
    ]
    most = {"inversion": "at most "}
    more = "".join(
        f", {rung} {most.get(rung, 'about ')}{duration(seconds)}"
        for rung, seconds in cost.rungs.items()
    )
    each = f" (linear about {duration(cost.linear)}{more})" if more else ""
    each += ", the line at infinite width not counted" if command.infinite_width else ""
    return (
        f"{opened.name}, {cost.networks} networks, {cost.training} photos to fit to, "
        f"{cost.held_out} to score\n{whole(cost)}{each}\n\n"
        + text_table(("layer", "features", "pixels apart"), rows)
    )


def _layers(command: ProbeCommand) -> str | list[str]:
    return "auto" if command.layers == ("auto",) else list(command.layers)
