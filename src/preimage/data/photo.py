"""Photos in and out: upright RGB → (3, H, W) float32 in [0, 255], and back to pictures."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from preimage.data.archives import PhotoError as PhotoError
from preimage.data.decoding import PhotoSize, fit
from preimage.notebook.gallery import Gallery
from preimage.notebook.view import Drawn, Tile

#: Photos are cropped and resized to a square of this side, as in the paper's Table 1.
SIZE = 227
#: Natural colour photos that scikit-image ships, of subjects recognised at a glance.
EMBEDDED = ("astronaut", "chelsea", "coffee", "rocket")


@dataclass(frozen=True, repr=False)
class Photo(Drawn):
    """RGB pixels in [0, 255], a name that is unique in its list, and their source."""

    name: str
    source: str
    pixels: Float[Tensor, "3 H W"]

    @property
    def sha256(self) -> str:
        """SHA-256 of the shape and the pixels as used, not of the file."""
        data = self.pixels.contiguous().numpy()
        return hashlib.sha256(repr(data.shape).encode() + data.tobytes()).hexdigest()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return (self.pixels.shape[-2], self.pixels.shape[-1])

    @property
    def image(self) -> Image.Image:
        """The photo as a PIL image."""
        return clipped_image(self.pixels)

    def __repr__(self) -> str:
        height, width = self.size
        return f"Photo({self.name}: {height}×{width} pixels, from {self.source})"

    def _tiles(self) -> list[Tile]:
        return [Tile(lambda: self.image, self.name)]

    def _rows(self) -> list[dict[str, object]]:
        height, width = self.size
        return [{"photo": self.name, "height": height, "width": width, "source": self.source}]


def fingerprint(hashes: Iterable[str]) -> str:
    """One hash for a list of photos, from their own hashes and their order."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def embedded_photos(size: PhotoSize | None = SIZE) -> Gallery[Photo]:
    """Four photos that scikit-image ships: astronaut, chelsea (a cat), coffee, rocket."""
    from skimage import data

    return Gallery(
        Photo(
            name,
            f"scikit-image: data.{name}()",
            to_pixels(fit(Image.fromarray(getattr(data, name)()), size)).float(),
        )
        for name in EMBEDDED
    )


def clipped_image(pixels: Float[Tensor, "C H W"]) -> Image.Image:
    """An 8-bit picture of pixels in [0, 255]; values outside are clipped."""
    array = pixels.clamp(0, 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(array)


def to_image(pixels: Float[Tensor, "C H W"]) -> Image.Image:
    """An 8-bit picture of any tensor of 1 or 3 channels, stretched to [0, 255] as a whole."""
    low, high = pixels.min(), pixels.max()
    scaled = (pixels - low) / torch.where(high > low, high - low, 1.0) * 255
    array = scaled.round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def to_pixels(image: Image.Image) -> UInt8[Tensor, "3 H W"]:
    """The pixels of an RGB image."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def fit_pixels(pixels: UInt8[Tensor, "3 H W"], size: int) -> UInt8[Tensor, "3 h w"]:
    """`fit` for pixels; pixels that have the size already are returned as they are."""
    if pixels.shape[-2:] == (size, size):
        return pixels
    return to_pixels(fit(_to_image(pixels), size))


def scale_short_side(pixels: UInt8[Tensor, "3 H W"], length: int) -> UInt8[Tensor, "3 h w"]:
    """The whole photo, resized (Lanczos) so that its shorter side has this length."""
    height, width = pixels.shape[-2:]
    short = min(height, width)
    if short == length:
        return pixels
    width, height = (max(round(side * length / short), 1) for side in (width, height))
    return to_pixels(_to_image(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _to_image(pixels: UInt8[Tensor, "3 H W"]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy()))
