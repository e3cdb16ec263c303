"""Where a feature's position lies in the photo: measured on the model itself, not guessed.

A pixel that is no number (NaN) makes every feature that depends on it no number either, whatever
the weights are: products with zero, ReLUs and max pools pass it on. So photos whose upper rows are
NaN show, row by row, which positions see them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from preimage.network.trace import Alignment

_BATCH = 4


@dataclass(frozen=True)
class Placement:
    """Stride and centre of a layer's positions, in pixels of the photo, along one axis.

    Position i looks at pixels around `stride · i + centre`, counted from the first pixel's centre.
    `how` says where this comes from: `measured`; or, for layers in which each position sees the
    whole photo (attention, squeeze-and-excitation), `grid`, which lies evenly on it, or `chosen`
    on photos held back (`preimage.probing.shifts`).
    `receptive_field` is the side of the square that a position sees; None where that is everything.
    """

    stride: Fraction
    centre: float
    receptive_field: int | None
    how: Literal["measured", "grid", "chosen"]

    @property
    def alignment(self) -> Alignment:
        """The block of pixels that a position stands for.

        Raises:
            ValueError: the stride is no whole number of pixels.
        """
        if self.stride.denominator != 1:
            raise ValueError(f"positions are {self.stride} pixels apart, not a whole number.")
        stride = int(self.stride)
        return Alignment(stride, round((self.centre - (stride - 1) / 2) / stride))


def measure_placements(
    features: Callable[[Tensor], Mapping[str, Float[Tensor, "N C h w"]]], size: tuple[int, int]
) -> dict[str, Placement]:
    """The placement of the rows of several maps, from some dozens of photos with NaN rows.

    Away from the borders, row i sees pixels first(i) = s·i + a to last(i) = s·i + b; then the
    stride is s and the centre (a + b)/2. Both are read off where they lie around the photo's
    middle. Where every row sees the first and the last pixel row, the positions are taken to lie
    evenly on the photo.

    Args:
        features: pixels (N, 3, H, W) in [0, 255] → maps by layer, in one pass.
        size: (height, width) of the photos.

    Raises:
        ValueError: a layer does not depend on the photo.
    """
    height = size[0]
    rows = {name: maps.shape[2] for name, maps in features(torch.zeros(1, 3, *size)).items()}
    reach = 2 * max(-(-height // count) for count in rows.values()) + 2
    edges = range(max(height // 2 - reach, 1), min(height // 2 + reach, height))
    above = _dark_rows(features, size, [slice(0, edge) for edge in edges])
    below = _dark_rows(features, size, [slice(edge, height) for edge in edges])
    placements = {}
    for name, count in rows.items():
        if not (above[name].any() and below[name].any()):
            raise ValueError(f"layer {name} does not depend on the photo.")
        # Row i turns dark at the edge behind first(i), and is dark down to the edge last(i).
        first = {i: edges[k] - 1 for i, k in _changes(above[name])}
        last = {i: edges[k - 1] for i, k in _changes(below[name])}
        placements[name] = _from_edges(first, last) or _on_grid(height, count)
    return placements


def _from_edges(first: dict[int, int], last: dict[int, int]) -> Placement | None:
    """The placement of rows that begin and end at these pixel rows; None if they tell none."""
    begin = _line(first) or _line(_without(first, min(first.values(), default=0)))
    end = _line(last) or _line(_without(last, max(last.values(), default=0)))
    if begin is None or end is None or begin[0] != end[0]:
        return None
    (stride, a), (_, b) = begin, end
    return Placement(stride, float(a + b) / 2, int(b - a) + 1, "measured")


def _on_grid(height: int, count: int) -> Placement:
    stride = Fraction(height, count)
    return Placement(stride, float(stride - 1) / 2, None, "grid")


def _line(edges: dict[int, int]) -> tuple[Fraction, Fraction] | None:
    """(slope, edge of row 0) of edges over rows; None if they lie on no line."""
    if len(edges) < 2:
        return None
    low, high = min(edges), max(edges)
    slope = Fraction(edges[high] - edges[low], high - low)
    straight = all(edge - edges[low] == slope * (i - low) for i, edge in edges.items())
    return (slope, edges[low] - slope * low) if straight and slope else None


def _without(edges: dict[int, int], border: int) -> dict[int, int]:
    """Without the rows that end at a border: the photo may go on there, unseen by any row."""
    return {row: edge for row, edge in edges.items() if edge != border}


def _changes(dark: Bool[Tensor, "edges rows"]) -> list[tuple[int, int]]:
    """(row, edge) of the rows that change between two neighbouring edges."""
    changed = dark[1:] != dark[:-1]
    return [(int(row), int(edge) + 1) for edge, row in changed.nonzero()]


@torch.no_grad()
def _dark_rows(
    features: Callable[[Tensor], Mapping[str, Tensor]],
    size: tuple[int, int],
    darkened: list[slice],
) -> dict[str, Bool[Tensor, "edges rows"]]:
    """For photos with these rows of NaN, which rows of each map hold NaN."""
    found: dict[str, list[Tensor]] = {}
    for start in range(0, len(darkened), _BATCH):
        part = darkened[start : start + _BATCH]
        pixels = torch.full((len(part), 3, *size), 127.0)
        for photo, rows in zip(pixels, part, strict=True):
            photo[:, rows] = torch.nan
        for name, maps in features(pixels).items():
            found.setdefault(name, []).append(maps.isnan().any(1).any(2).cpu())
    return {name: torch.cat(parts) for name, parts in found.items()}
