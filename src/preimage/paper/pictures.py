"""What trained and fitted decoders make of a few photos, in pictures (Figures 4 and 6)."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from preimage.data.photo import Photo, clipped_image
from preimage.decoders.inverter import Inverter
from preimage.paper.draw import without_ticks
from preimage.scores.metrics import colour_scores

#: Row → column → PSNR of each network, averaged over the photos.
Means = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Cell:
    """What the decoder of one random network makes of photos: the scores, and pictures to draw."""

    row: str
    column: str
    network: int
    outputs: Sequence[Float[Tensor, "3 H W"]]
    psnr: Sequence[float]
    ssim: Sequence[float]

    @classmethod
    def of(
        cls,
        row: str,
        column: str,
        network: int,
        inverter: Inverter,
        photos: Sequence[Photo],
        drawn: int | None = None,
    ) -> "Cell":
        """What a decoder makes of the photos; the pictures of the first `drawn` are kept."""
        outputs, psnr, ssim = list[Tensor](), list[float](), list[float]()
        for photo in photos:
            output = inverter(photo.pixels[None]).cpu()
            scores = colour_scores(photo.pixels[None], output)
            psnr.append(float(scores.psnr))
            ssim.append(float(scores.ssim))
            if drawn is None or len(outputs) < drawn:
                outputs.append(output[0])
        return cls(row, column, network, outputs, psnr, ssim)

    @property
    def mean(self) -> float:
        """PSNR averaged over the photos, in dB."""
        return sum(self.psnr) / len(self.psnr)


def means_of(cells: Sequence[Cell]) -> Means:
    """PSNR of each network, by row and column."""
    found: Means = {}
    for cell in cells:
        found.setdefault(cell.row, {}).setdefault(cell.column, []).append(cell.mean)
    return found


def picture_rows(photos: Sequence[Photo], cells: Sequence[Cell]) -> list[dict[str, str | float]]:
    """A row per picture, for a table."""
    return [
        {
            "row": cell.row,
            "column": cell.column,
            "network": cell.network,
            "photo": photo.name,
            "psnr": psnr,
            "ssim": ssim,
        }
        for cell in cells
        for photo, psnr, ssim in zip(photos, cell.psnr, cell.ssim, strict=True)
    ]


def draw_pictures(photos: Sequence[Photo], cells: Sequence[Cell], heading: str) -> Figure:
    """For each photo a line per row of cells: the photo, then what came back, column by column."""
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(cell)
    columns, lines = 1 + max(map(len, rows.values())), len(rows) * len(photos)
    figure = Figure(figsize=(1.75 * columns, 1.95 * lines + 0.6), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(lines, columns, squeeze=False)
    places = [(name, index) for index in range(len(photos)) for name in rows]
    for line, (name, index) in zip(axes, places, strict=True):
        photo = photos[index]
        line[0].imshow(photo.pixels.permute(1, 2, 0).numpy() / 255)
        line[0].set_title(photo.name[:24], fontsize=7.5)
        line[0].set_ylabel(name, fontsize=8.5)
        for axis, cell in zip(line[1:], rows[name], strict=True):
            axis.imshow(clipped_image(cell.outputs[index]))
            axis.set_title(f"{cell.column}: {cell.psnr[index]:.1f} dB", fontsize=7.5)
    return without_ticks(figure)
