"""Which architecture retains most of a photo before a weight is drawn, at equal numbers?

No network is drawn. For each architecture of a grid the kernel gives the least-squares error at
infinite width, and the last layer's width alone (`width`) the expected one at a number of channels
per pixel value, 3 · stride². All are fitted to and scored on the same photos. Beside them stands
the counting law: layers of a network behind their pools.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from torch import Tensor

from preimage.data.progress import progress_bar
from preimage.network.description import Description
from preimage.network.operations import Conv, Operation, Pool
from preimage.network.trace import alignment, receptive_field
from preimage.retention.kernel_ridge import RIDGES, fit
from preimage.retention.layer import KernelOptions, layer_problem
from preimage.retention.layer_retention import decibels
from preimage.retention.width import WidthCurve

#: Channels per pixel value.
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0, 16.0)
#: How the stride of 2 comes about.
FAMILIES = ("stride 1", "pool first", "pool last", "strided")


@dataclass(frozen=True)
class Candidate:
    """An architecture of the grid, or a layer of a network behind its pool."""

    family: str
    encoder: Description


@dataclass(frozen=True)
class ArchitectureRetention:
    """What one architecture retains.

    Args:
        field: side of its receptive field, pixels.
        positions: fitted to.
        psnr: at infinite width, dB.
        curve: (channels per pixel value, expected PSNR); of what would be no channel, nothing.
        own: the same of the network's own width; None in the grid, whose widths are free.
    """

    name: str
    family: str
    stride: int
    field: int
    positions: int
    psnr: float
    curve: tuple[tuple[float, float], ...]
    own: tuple[float, float] | None = None

    def at(self, share: int | float) -> float | None:
        """Expected PSNR with so many channels per pixel value, dB."""
        return dict(self.curve).get(share)


def architectures() -> Iterator[Candidate]:
    """Kernel size × depth × slope × how the stride of 2 comes about: 60 in all."""
    for kernel, depth, slope, family in product((1, 3, 5), (1, 2, 4), (0.0, 0.2), FAMILIES):
        if kernel == 1 and family == "strided":
            continue  # skips three of four pixels
        if depth == 1 and family == "pool first":
            continue  # the same as the last
        operations: list[Operation] = []
        for layer in range(depth):
            step = 2 if family == "strided" and layer == 0 else 1
            before = (kernel - step + 1) // 2
            padding = (before, kernel - step - before) if kernel >= step else (0, 0)
            operations.append(Conv(f"conv{layer}", 1, kernel, step, padding, slope))
            ends = {"pool first": 0, "pool last": depth - 1}
            if layer == ends.get(family):
                operations.append(Pool(f"pool{layer}", "avg"))
        name = f"{depth} × {kernel}×{kernel}, slope {slope:g}"
        yield Candidate(family, Description(name, tuple(operations)))


def behind_pools(network: Description, layers: Sequence[str]) -> Iterator[Candidate]:
    """Layers of a network behind their pools.

    Raises:
        ValueError: no such layer, or no pool behind it.
    """
    for layer in layers:
        yield Candidate(layer, network.cut(layer, pooled=True))


def search(
    candidates: Sequence[Candidate],
    training: Tensor,
    scored: Tensor,
    options: KernelOptions = KernelOptions(),  # noqa: B008
) -> list[ArchitectureRetention]:
    """What each architecture retains of photos (N, 3, H, W), uint8.

    Raises:
        ValueError: one has no kernel, or the photos are too few.
    """
    with progress_bar("architectures", len(candidates)) as advance:
        rows = []
        for candidate in candidates:
            rows.append(_retained(candidate, training, scored, options))
            advance()
    return rows


def _retained(
    candidate: Candidate, training: Tensor, scored: Tensor, options: KernelOptions
) -> ArchitectureRetention:
    encoder = candidate.encoder
    layer, problem = layer_problem(encoder, training, scored, options, label=None)
    values = encoder.in_channels * layer.alignment.stride**2
    widths = [round(share * values) for share in SHARES]
    curve = WidthCurve(problem)
    own = encoder.out_channels / values
    return ArchitectureRetention(
        encoder.name,
        candidate.family,
        alignment(encoder).stride,
        receptive_field(encoder.operations),
        layer.positions[0],
        decibels(fit(problem).mse),
        tuple(
            (share, expected(curve, width))
            for share, width in zip(SHARES, widths, strict=True)
            if width
        ),
        None if candidate.family in FAMILIES else (own, expected(curve, encoder.out_channels)),
    )


def expected(curve: WidthCurve, width: int) -> float:
    """PSNR that networks of this width are expected to reach with their best ridge, dB."""
    return decibels(curve.best(width, RIDGES)[0])


def best_of_families(
    rows: Sequence[ArchitectureRetention],
) -> list[tuple[str, list[tuple[float, float]], float]]:
    """Of each family the most that one of its architectures retains: by share, and at infinity."""
    found = []
    for family in dict.fromkeys(row.family for row in rows):
        members = [row for row in rows if row.family == family]
        points = []
        for share in SHARES:
            there = [psnr for row in members if (psnr := row.at(share)) is not None]
            points += [(share, max(there))] if there else []
        found.append((family, points, max(row.psnr for row in members)))
    return found
