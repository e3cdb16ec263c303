"""Why a layer keeps what it keeps: the variance retained, by spatial frequency and by colour.

A picture and the error of its reconstruction are split into parts that add up exactly: by colour
in an orthonormal opponent basis of RGB,

    luminance (1, 1, 1)/√3    red–green (1, −1, 0)/√2    blue–yellow (−1, −1, 2)/√6

and by the frequency of their orthonormal cosine transform, in octaves of cycles per pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from preimage.notebook.brief import Brief
from preimage.notebook.view import Shown, draw_on
from preimage.probing.vectors import cosines
from preimage.probing.verdict import over_draws
from preimage.scores.statistics import Interval, mean_interval, paired_difference

Pixels = Float[Tensor, "N 3 H W"]
AXES = ("luminance", "red–green", "blue–yellow")
_COLOURS = ("0.25", "tab:red", "tab:blue")  # of their lines
_OPPONENT = torch.tensor(
    [
        [1 / sqrt(3), 1 / sqrt(3), 1 / sqrt(3)],
        [1 / sqrt(2), -1 / sqrt(2), 0],
        [-1 / sqrt(6), -1 / sqrt(6), 2 / sqrt(6)],
    ]
)
#: Upper ends of the bands, in cycles per pixel. The last one takes in the corner of the spectrum:
#: a checkerboard has 0.5 along both axes, 0.71 in all.
_EDGES = (1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 0.7072)
_NOTHING = 1e-9  # of the whole energy: grey photos have that much colour by rounding


@dataclass(frozen=True, repr=False)
class Bands(Brief):
    """Energies per held-out photo, colour and frequency, in squared grey levels per pixel value.

    Args:
        edges: B + 1 ends of the bands, in cycles per pixel; the first band has the mean colour.
        energy: of the photos, the training photos' mean picture taken away.
        error: of their reconstructions, clipped to [0, 255].
    """

    edges: list[float]
    energy: Float[Tensor, "N 3 B"]
    error: Float[Tensor, "N 3 B"]

    def retained(self, axis: int | None = None, band: int | None = None) -> Interval:
        """1 − ‖error‖² / energy over all photos, of a colour axis and a band, or of all of them.

        The interval over photos is that of a ratio of means, to first order. Below 0 the decoder
        does worse there than the mean picture; where the photos have nothing, it is 0.
        """
        return mean_interval(self.values(axis, band))

    def values(self, axis: int | None = None, band: int | None = None) -> list[float]:
        """One value per photo, whose mean is the ratio of sums and whose scatter is the ratio's."""
        energy, error = (_part(x, axis, band) for x in (self.energy, self.error))
        mean = float(energy.mean())
        if mean <= _NOTHING * float(self.energy.sum((1, 2)).mean()):
            return [0.0] * len(energy)
        lost = float(error.mean()) / mean
        values: list[float] = (1 - lost - (error - lost * energy) / mean).tolist()
        return values


def _part(
    values: Float[Tensor, "N 3 B"], axis: int | None, band: int | None
) -> Float[Tensor, " N"]:
    values = values if axis is None else values[:, axis : axis + 1]
    values = values if band is None else values[..., band : band + 1]
    part: Tensor = values.sum((1, 2))
    return part


@dataclass(frozen=True, repr=False)
class BandReport(Shown):
    """What a network retains by colour and frequency, beside its random twins."""

    trained: Bands
    twins: Sequence[Bands] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per colour axis and band, then one per axis and per band alone.

        `difference` is trained minus the twins' mean, `over_photos` and `over_draws` the
        half-widths of its 95 % intervals; None where there are too few twins.
        """
        bands = range(len(self.trained.edges) - 1)
        cells = [(axis, band) for axis in (*range(3), None) for band in (*bands, None)]
        return [self._row(axis, band) for axis, band in cells]

    def _row(self, axis: int | None, band: int | None) -> dict[str, Any]:
        edges, found = self.trained.edges, self.trained.retained(axis, band)
        row: dict[str, Any] = {
            "colour": "all" if axis is None else AXES[axis],
            "low": edges[0] if band is None else edges[band],
            "high": edges[-1] if band is None else edges[band + 1],
            "retained": found.mean,
            "half_width": found.half_width,
            "twins": None,
            "difference": None,
            "over_photos": None,
            "over_draws": None,
        }
        if self.twins:
            values = [twin.values(axis, band) for twin in self.twins]
            means = [fmean(of_photo) for of_photo in zip(*values, strict=True)]
            over_photos = paired_difference(self.trained.values(axis, band), means)
            draws = over_draws([found.mean - fmean(twin) for twin in values])
            row |= {
                "twins": fmean(means),
                "difference": over_photos.mean,
                "over_photos": over_photos.half_width,
                "over_draws": draws.half_width if draws.n > 1 else None,
            }
        return row

    def _rows(self) -> list[dict[str, Any]]:
        return self.rows()

    def plot(self, ax: Any = None, colours: Sequence[str] = _COLOURS) -> Any:
        """Variance retained over frequency, a line per colour axis; twins dashed.

        Args:
            ax: the Axes to draw on; a new Figure if not given. What was drawn on is returned.
        """
        return draw_on(ax, lambda ax: self._draw_lines(ax, colours))

    def _draw_lines(self, axes: Any, colours: Sequence[str]) -> None:
        edges = self.trained.edges
        middles = [sqrt(max(low, high / 2) * high) for low, high in pairwise(edges)]
        for axis, (name, colour) in enumerate(zip(AXES, colours, strict=True)):
            found = [self.trained.retained(axis, band) for band in range(len(middles))]
            axes.errorbar(
                middles,
                [x.mean for x in found],
                [x.half_width if x.n > 1 else 0 for x in found],
                color=colour,
                marker=".",
                capsize=2,
                label=name,
            )
            for twin in self.twins:
                lines = [twin.retained(axis, band).mean for band in range(len(middles))]
                axes.plot(middles, lines, "--", color=colour, linewidth=0.7, alpha=0.6)
        axes.set_xscale("log", base=2)
        axes.set(xlabel="cycles per pixel", ylabel="variance retained", ylim=(-0.1, 1.02))


class BandSums:
    """Energies of held-out photos and of errors, batch by batch.

    Args:
        mean: the training photos' mean picture, which is taken away from the photos.
    """

    def __init__(self, mean: Float[Tensor, "3 H W"]) -> None:
        self._mean = mean
        size = (mean.shape[1], mean.shape[2])
        self.edges, self._index = _bands(size)
        self._transform = tuple(cosines(length, length).float() for length in size)
        self._energy: list[Tensor] = []
        self._errors: dict[str, list[Tensor]] = {}

    def add_photos(self, pixels: Pixels) -> None:
        """The photos of a batch."""
        self._energy.append(self._energies(pixels - self._mean))

    def add(self, layer: str, output: Pixels, pixels: Pixels) -> None:
        """What a layer's decoder makes of them."""
        energies = self._energies(output.clamp(0, 255) - pixels)
        self._errors.setdefault(layer, []).append(energies)

    def bands(self, layer: str) -> Bands:
        """Of one layer, all batches added."""
        return Bands(self.edges, torch.cat(self._energy), torch.cat(self._errors[layer]))

    def _energies(self, pictures: Pixels) -> Float[Tensor, "N 3 B"]:
        rows, columns = self._transform
        opponent = torch.einsum("ac,nchw->nahw", _OPPONENT, pictures)
        squared = (rows @ opponent @ columns.T).square().double().flatten(2)
        out = squared.new_zeros(*squared.shape[:2], len(self.edges) - 1)
        return out.index_add_(2, self._index, squared) / pictures[0].numel()


def _bands(size: tuple[int, int]) -> tuple[list[float], Int64[Tensor, " F"]]:
    """The ends of the bands that a picture of this size has, and the band of each frequency.

    Wave k of a cosine transform of n pixels has k / 2n cycles per pixel.
    """
    along = [torch.arange(length, dtype=torch.float64) / (2 * length) for length in size]
    frequencies = torch.hypot(along[0][:, None], along[1]).flatten()
    lowest = float(frequencies[frequencies > 0].min())
    edges = [edge for edge in _EDGES if edge > lowest]
    index = torch.bucketize(frequencies, torch.tensor(edges[:-1], dtype=torch.float64), right=True)
    return [0.0, *edges], index
