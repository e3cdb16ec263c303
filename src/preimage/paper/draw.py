"""What drawings share: colours, captions, pictures and files. Nothing here opens a window."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from preimage.data.photo import Photo, clipped_image, to_image
from preimage.data.records import write_atomically
from preimage.scores.metrics import colour_scores, grey, stretch
from preimage.sweeps.reconstruction import Picture, Reconstruction

#: One colour per network family, in order of appearance; legible to the colour-blind (Okabe-Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

#: From this r on, the eye sees a negative; random signs give as many as positives.
_NEGATIVE = -0.2


def save_figure(figure: Figure, path: Path, dpi: int = 150) -> Path:
    """Writes a figure atomically, without dates, so that equal figures are equal files."""
    kind = path.suffix.lstrip(".")
    data = figure_bytes(figure, kind, dpi)
    return write_atomically(path, lambda temporary: temporary.write_bytes(data))


def figure_bytes(figure: Figure, kind: str = "png", dpi: int = 110) -> bytes:
    """The file of a figure, without dates."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # Photos may have names in scripts that the font lacks; boxes stand for them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(
            stream, format=kind, dpi=dpi, bbox_inches="tight", metadata={"Software": None}
        )
    return stream.getvalue()


def caption(result: Reconstruction | Picture) -> str:
    """SSIM and Pearson's r of one picture, and whether it is a negative or was one."""
    negative = ", a negative" if result.pearson < _NEGATIVE else ""
    note = ", inverted" if result.inverted else negative
    return f"SSIM {result.ssim:.2f}, r {_signed(result.pearson)}{note}"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def reconstruction_sheet(results: Sequence[Reconstruction], title: str) -> Figure:
    """One row per photo: the photo, its grey, the scored grey output, the colour output."""
    figure = Figure(figsize=(9.2, 2.45 * len(results) + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(len(results), 4, squeeze=False)
    for row, result in zip(axes, results, strict=True):
        draw_photo(row[0], result.photo, result.photo.name)
        row[1].imshow(grey_photo(result.photo), cmap="gray", vmin=0, vmax=1)
        row[1].set_title("grey", fontsize=8)
        row[2].imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
        row[2].set_title(caption(result), fontsize=8)
        row[3].imshow(to_image(result.colour), cmap="gray")
        row[3].set_title("colour output, stretched", fontsize=8)
    return without_ticks(figure)


def decoded_sheet(pairs: Sequence[tuple[Photo, Float[Tensor, "3 _ _"]]], title: str) -> Figure:
    """One row per photo: the photo, and what a decoder made of it, clipped to [0, 255]."""
    figure = Figure(figsize=(5.4, 2.6 * len(pairs) + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(len(pairs), 2, squeeze=False)
    for row, (photo, output) in zip(axes, pairs, strict=True):
        scores = colour_scores(photo.pixels[None], output[None])
        draw_photo(row[0], photo, photo.name)
        row[1].imshow(clipped_image(output))
        row[1].set_title(f"PSNR {float(scores.psnr):.1f} dB, SSIM {float(scores.ssim):.2f}", size=8)
    return without_ticks(figure)


def draw_photo(axis: Axes, photo: Photo, title: str) -> None:
    """A photo in its colours."""
    axis.imshow(photo.pixels.permute(1, 2, 0).numpy() / 255)
    axis.set_title(title, fontsize=8)


def grey_photo(photo: Photo) -> np.ndarray:
    """The photo as the scores see it: grey, stretched to [0, 1]; (H, W)."""
    image: np.ndarray = stretch(grey(photo.pixels[None]))[0].numpy()
    return image


def without_ticks(figure: Figure) -> Figure:
    """The figure with bare axes, for pictures."""
    for axis in figure.axes:
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set_visible(False)
    return figure
