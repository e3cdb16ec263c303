"""Decoded: what a decoder makes of a photo, with its colour scores."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from jaxtyping import Float
from PIL.Image import Image
from torch import Tensor

from preimage.data.decoding import PhotoSize
from preimage.data.each_photo import each_photo, keeping
from preimage.data.photo import Photo, clipped_image
from preimage.data.photos import Photos
from preimage.data.progress import progress
from preimage.data.records import write_atomically
from preimage.notebook.gallery import Gallery
from preimage.notebook.html import beside
from preimage.notebook.view import Drawn, Tile
from preimage.scores.metrics import COLOUR, colour_scores


@dataclass(frozen=True, repr=False)
class Decoded(Drawn):
    """A photo, and what came back of it: `pixels` in [0, 255], not clipped.

    The scores are those of `preimage.COLOUR`: `mse` in squared grey levels, `psnr` in dB, `ssim`.
    """

    photo: Photo
    pixels: Float[Tensor, "3 H W"]
    mse: float
    psnr: float
    ssim: float

    @property
    def image(self) -> Image:
        """The picture as a PIL image, clipped to [0, 255]."""
        return clipped_image(self.pixels)

    def save(self, path: str | Path) -> None:
        """Writes the picture; the file name's ending chooses the format.

        Raises:
            OSError: the folder can't be written to.
            ValueError: Pillow knows no format of that ending.
        """
        write_atomically(Path(path), self.image.save)

    def record(self) -> dict[str, Any]:
        """The scores and their convention as plain data; an infinite PSNR is None, as in JSON."""
        row = self._rows()[0]
        row["psnr"] = self.psnr if isfinite(self.psnr) else None
        return {**row, "photo_sha256": self.photo.sha256, "contract": asdict(COLOUR)}

    def __repr__(self) -> str:
        height, width = self.photo.size
        return f"Decoded({self.photo.name}, {height}×{width} pixels: {self._scores()})"

    def _scores(self) -> str:
        return f"PSNR {self.psnr:.1f} dB, SSIM {self.ssim:.2f}".replace("-", "−")

    def _tiles(self) -> list[Tile]:
        caption = f"{self.photo.name}\n{self._scores()}"
        return [Tile(lambda: self.image, caption), Tile(lambda: self.photo.image, "the photo")]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"photo": self.photo.name, "mse": self.mse, "psnr": self.psnr, "ssim": self.ssim},
        ]


class DecodedPhotos(Gallery[Decoded]):
    """A list of them, which a notebook shows as photo and picture side by side, with scores."""

    def _tiles(self) -> list[Tile]:
        return [Tile(partial(_pair, one), one._tiles()[0].caption, columns=2) for one in self]

    def _line(self) -> str:
        worst, best = min(one.psnr for one in self), max(one.psnr for one in self)
        return f"{len(self)} decoded photos, PSNR {worst:.1f} to {best:.1f} dB"


def _pair(one: Decoded) -> Image:
    return beside(one.photo.image, one.image)


def decode_photos(
    invert: Callable[[Tensor], Tensor], photos: Photos | None, size: PhotoSize | None
) -> DecodedPhotos:
    """Each photo through an encoder and back.

    Raises:
        PhotoError: a photo can't be read or is too small.
        Interrupted: Ctrl-C came; `results` has those before.
    """

    def decoded(photo: Photo) -> Decoded:
        output = invert(photo.pixels[None]).cpu()
        scores = colour_scores(photo.pixels[None], output)
        return Decoded(photo, output[0], float(scores.mse), float(scores.psnr), float(scores.ssim))

    results = DecodedPhotos()
    with keeping(results):
        for _, result in progress(each_photo(decoded, photos, size), "photos"):
            results.append(result)
    return results
