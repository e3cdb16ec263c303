"""`preimage retain`: what random layers retain at infinite width."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from preimage.app.cli.estimate import announce, whole
from preimage.app.cli.options import command_line
from preimage.app.cli.retain_command import RetainCommand
from preimage.app.cli.retain_search import run_search
from preimage.data.cost import Sum
from preimage.data.memory import open_squares
from preimage.data.photo import embedded_photos
from preimage.data.records import environment, output_folder
from preimage.data.tables import text_table
from preimage.decoders.encoders import open_encoder
from preimage.decoders.options import EncoderOptions
from preimage.network.architectures import architecture
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.retention.costs import LayerCost, retention_cost
from preimage.retention.infinite import retention
from preimage.retention.layer import KernelOptions
from preimage.retention.positions import Sampling

_CROPPED = 448  # side of the embedded photos that crops are taken from


def run(command: RetainCommand) -> int:
    """Computes, prints the table, writes the page and the numbers."""
    folder = output_folder(command.out)
    options = _options(command, folder)
    if command.search:
        return run_search(command, options, _photos, folder)
    subject = _subject(command)
    description = subject if isinstance(subject, Description) else subject.description
    training, scored, skipped = _photos(command)
    costs = retention_cost(description, command.layers, training, scored, command.draws, options)
    if command.dry_run:
        print(_in_full(costs))
        return 0
    announce(lambda: Sum(costs))
    result = retention(
        subject,
        training,
        scored,
        command.layers,
        size=command.size,
        widths=command.widths,
        draws=command.draws,
        options=options,
    )
    result.record.update(
        {
            "command": command_line("retain", command),
            "network": description.name,
            "photos": f"{len(training)} to fit to, {len(scored)} to score, "
            f"{command.size}×{command.size}",
            "skipped": skipped,
            "environment": environment(),
        }
    )
    result.save(folder / "retain.json")
    print(f"{result}\n\n{result.save(folder / 'retain.html')}")
    return 0


def _options(command: RetainCommand, folder: Path) -> KernelOptions:
    return KernelOptions(
        window=command.window,
        sampling=Sampling(command.positions, command.scored, command.tile, command.seed),
        landmarks=command.landmarks or None,
        dtype=torch.float64 if command.double else torch.float32,
        folder=folder / "kernels",
        threads=command.threads or None,
    )


def _subject(command: RetainCommand) -> Description | Network:
    """The architecture up to the last of the layers; with `weights`, the network."""
    whole = architecture(command.network.architecture)
    for layer in command.layers:
        whole.cut(layer)  # refuses an unknown one
    last = max(command.layers, key=lambda layer: len(whole.cut(layer).operations))
    spec = replace(command.network, layer=last)
    if command.weights is None:
        return spec.encoder()
    options = EncoderOptions(spec=spec, weights=command.weights, seed=command.seed, input="raw")
    return open_encoder(options)[0]


def _photos(command: RetainCommand) -> tuple[Tensor, Tensor, list[str]]:
    """To fit to, to score; and what could not be read."""
    if not command.data:
        if command.held_out:
            raise ValueError("`held_out` needs `data`: photos to fit to.")
        crops = [_crops(photo.pixels.byte(), command.size) for photo in embedded_photos(_CROPPED)]
        astronaut, cat, coffee, rocket = crops  # of the rocket most is sky
        return torch.cat([astronaut, coffee, rocket]), cat, []
    count = command.photos or None
    source = open_squares(command.data, command.size, count, strict=command.strict)
    pixels, problems = source.pixels, list(source.problems)
    if command.held_out:
        other = open_squares(
            command.held_out, command.size, count, argument="held_out", strict=command.strict
        )
        return pixels, other.pixels, problems + list(other.problems)
    kept = len(pixels) - len(pixels) // 4
    if kept == len(pixels):
        raise ValueError(f"`data`: {len(pixels)} photos are too few to hold a quarter out; give 4.")
    return pixels[:kept], pixels[kept:], problems


def _crops(photo: Tensor, side: int) -> Tensor:
    """The photo cut into squares of this side, as many as fit."""
    if side > photo.shape[-1]:
        raise ValueError(f"`size` is at most {photo.shape[-1]} without `data`, got {side}.")
    cut = photo.unfold(1, side, side).unfold(2, side, side)  # (3, rows, columns, side, side)
    return cut.permute(1, 2, 0, 3, 4).flatten(0, 1).contiguous()


def _in_full(costs: Sequence[LayerCost]) -> str:
    """What a dry run says."""
    rows = [
        (
            cost.layer,
            f"{cost.positions[0]:,}",
            f"{cost.positions[1]:,}",
            f"{cost.evaluations:.2g}",
            f"{cost.seconds / 60:.1f}",
            f"{cost.memory / 1e9:.2f}",
        )
        for cost in costs
    ]
    heading = ("layer", "positions", "scored", "evaluations", "minutes", "GB")
    return f"{text_table(heading, rows)}\n\n{whole(Sum(costs))}"
