"""`preimage retain --search`: which architecture retains most, no network drawn."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from preimage.app.cli.estimate import announced_by_pace, whole
from preimage.app.cli.options import command_line
from preimage.app.cli.retain_command import RetainCommand
from preimage.data.cost import Sum
from preimage.data.records import environment
from preimage.network.architectures import architecture
from preimage.retention.costs import LayerCost, retention_cost
from preimage.retention.layer import KernelOptions
from preimage.retention.search import Candidate, architectures, behind_pools, search
from preimage.retention.search_result import Search

Load = Callable[[RetainCommand], tuple[Tensor, Tensor, list[str]]]


def run_search(command: RetainCommand, options: KernelOptions, load: Load, folder: Path) -> int:
    """Computes, prints the table, writes the page and the numbers.

    Args:
        load: gives the photos to fit to, to score, and what could not be read.
    """
    if command.weights is not None or command.widths:
        raise ValueError("`search` draws no network; leave out `weights` and `widths`.")
    name = command.network.architecture
    last = architecture(name).blocks[-1]
    spec = replace(command.network, layer=last, pooled=True)
    network = replace(spec.encoder(), name=name)
    grid, layers = list(architectures()), list(behind_pools(network, command.layers))
    training, scored, skipped = load(command)
    if command.dry_run:
        costs = [_cost(each, training, scored, options) for each in (*grid, *layers)]
        print(f"{len(costs)} architectures\n{whole(Sum(costs))}")
        return 0
    with announced_by_pace("architectures"):
        rows = search([*grid, *layers], training, scored, options)
    size = f"{command.size}×{command.size}"
    record = {
        "command": command_line("retain", command),
        "network": network.name,
        "photos": f"{len(training)} to fit to, {len(scored)} to score, {size}",
        "skipped": skipped,
        "environment": environment(),
    }
    found = Search(rows[: len(grid)], rows[len(grid) :], record)
    found.save(folder / "architectures.json")
    print(f"{found}\n\n{found.save(folder / 'architectures.html')}")
    return 0


def _cost(each: Candidate, training: Tensor, scored: Tensor, options: KernelOptions) -> LayerCost:
    last = each.encoder.convs[-1].name
    (cost,) = retention_cost(each.encoder, [last], training, scored, 1, options)
    return cost
