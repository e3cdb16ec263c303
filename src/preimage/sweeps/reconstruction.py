"""What comes back from a photo: the DCN's raw output, the picture that is scored, the scores."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL.Image import Image
from torch import Tensor

from preimage.data.photo import Photo, to_image
from preimage.data.records import write_atomically
from preimage.notebook.gallery import Gallery
from preimage.notebook.html import beside
from preimage.notebook.view import Drawn, Tile
from preimage.scores.metrics import GREY, grey_scores


@dataclass(frozen=True, repr=False)
class Reconstruction(Drawn):
    """A photo, and what a network made of it.

    `colour` is the network's raw output, of no particular range. `grey` is the picture that
    was scored: grey, stretched to [0, 1], and with its luminosity inverted if `inverted` is true.
    The scores are those of `preimage.GREY`.
    """

    photo: Photo
    colour: Float[Tensor, "C H W"]
    grey: Float[Tensor, "H W"]
    ssim: float
    pearson: float
    mse: float
    psnr: float
    inverted: bool

    def save(self, path: str | Path) -> None:
        """Writes the grey picture; the file name's ending chooses the format.

        Raises:
            OSError: the folder can't be written to.
            ValueError: Pillow knows no format of that ending.
        """
        write_atomically(Path(path), to_image(self.grey[None]).save)

    @property
    def image(self) -> Image:
        """The grey picture that was scored, as a PIL image."""
        return to_image(self.grey[None])

    def __repr__(self) -> str:
        height, width = self.grey.shape
        return f"Reconstruction({self.photo.name}, {height}×{width} pixels: {self._scores()})"

    def _scores(self) -> str:
        inverted = ", inverted" if self.inverted else ""
        return f"SSIM {self.ssim:.2f}, Pearson {self.pearson:.2f}{inverted}".replace("-", "−")

    def _tiles(self) -> list[Tile]:
        caption = f"{self.photo.name}\n{self._scores()}"
        return [
            Tile(lambda: self.image, caption),
            Tile(lambda: self.photo.image, "the photo"),
            Tile(lambda: to_image(self.colour), "raw output, stretched"),
        ]

    def _rows(self) -> list[dict[str, Any]]:
        scores = {name: getattr(self, name) for name in ("ssim", "pearson", "mse", "psnr")}
        return [{"photo": self.photo.name, **scores, "inverted": self.inverted}]

    def record(self) -> dict[str, Any]:
        """The scores and their convention as plain data; an infinite PSNR is None, as in JSON."""
        return {
            "photo": self.photo.name,
            "source": self.photo.source,
            "photo_sha256": self.photo.sha256,
            **self.scores(),
            "contract": asdict(GREY),
        }

    def scores(self) -> dict[str, float | bool | None]:
        """All scores by name, and whether the picture was inverted; an infinite PSNR is None."""
        finite = self.psnr if math.isfinite(self.psnr) else None
        found = {"ssim": self.ssim, "pearson": self.pearson, "mse": self.mse, "psnr": finite}
        return {**found, "inverted": self.inverted}


@dataclass(frozen=True)
class Picture:
    """Of a reconstruction what is drawn: the picture that was scored, and its scores."""

    grey: Float[Tensor, "H W"]
    ssim: float
    pearson: float
    inverted: bool


class Reconstructions(Gallery[Reconstruction]):
    """A list of reconstructions, which a notebook shows as a gallery above a table of scores."""

    def _tiles(self) -> list[Tile]:
        return [Tile(partial(_pair, one), one._tiles()[0].caption, columns=2) for one in self]

    def _line(self) -> str:
        worst, best = min(one.ssim for one in self), max(one.ssim for one in self)
        return f"{len(self)} reconstructions, SSIM {worst:.2f} to {best:.2f}"


def _pair(one: Reconstruction) -> Image:
    return beside(one.photo.image, one.image)


def score(photos: Sequence[Photo], outputs: Sequence[Float[Tensor, "1 _ _ _"]]) -> Reconstructions:
    """One network's outputs for photos with their grey scores; photos of one size go together."""
    by_size: dict[torch.Size, list[int]] = {}
    for index, photo in enumerate(photos):
        by_size.setdefault(photo.pixels.shape, []).append(index)
    results: dict[int, Reconstruction] = {}
    for indices in by_size.values():
        originals = torch.stack([photos[index].pixels for index in indices])
        scores = grey_scores(originals, torch.cat([outputs[index] for index in indices]))
        for row, index in enumerate(indices):
            results[index] = Reconstruction(
                photos[index],
                outputs[index][0],
                scores.picture[row],
                ssim=float(scores.ssim[row]),
                pearson=float(scores.pearson[row]),
                mse=float(scores.mse[row]),
                psnr=float(scores.psnr[row]),
                inverted=bool(scores.inverted[row]),
            )
    return Reconstructions(results[index] for index in range(len(photos)))
