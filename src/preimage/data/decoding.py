"""Bytes of a picture → upright RGB, here or in another process; no torch, so that one starts soon.

Transparent pixels are composited over white; EXIF rotation is applied; 16-bit grey is scaled to 8.
"""

import warnings
from collections.abc import Callable
from threading import Lock

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from preimage.data.entries import PhotoError
from preimage.data.free_memory import MemoryTooSmall, require_memory
from preimage.data.large_pictures import (
    LARGE,
    TooManyPixels,
    is_large,
    one_at_a_time,
    open_picture,
    require,
    shrunk,
)

#: Formats of Pillow that are programs; to show them it runs Ghostscript.
_PROGRAMS = frozenset({"EPS"})

#: What photos are cropped and resized to: the side of a square, or (height, width).
PhotoSize = int | tuple[int, int]
Decoder = Callable[[bytes, int | None], Image.Image]
_elsewhere: Decoder | None = None


def decode_elsewhere(decoder: Decoder | None) -> Decoder | None:
    """Lets another process decode (`preimage.data.sandbox`), or this one; returns what did."""
    global _elsewhere
    before, _elsewhere = _elsewhere, decoder
    return before


def read_image(label: str, read: Callable[[], bytes], side: int | None = None) -> Image.Image:
    """The image that these bytes contain, as upright RGB.

    Args:
        side: the central square is resized to it (`fit`); None keeps the image as it is.

    Raises:
        PhotoError: not an image, truncated, empty or too large. The message begins with `label`.
    """
    try:
        data = read()
        if not data:
            raise PhotoError(f"{label}: the file is empty.")
        if _elsewhere is not None:
            return _elsewhere_decoded(label, data, side)
        with quiet:  # of large photos and odd metadata; errors stay
            image = open_picture(data, side)
            if image.format in _PROGRAMS:
                raise UnidentifiedImageError
            _refuse_cut(image.format, data)
            return _decoded(image, side)
    except PhotoError:
        raise
    except (TooManyPixels, MemoryTooSmall) as error:
        raise PhotoError(f"{label}: {error}") from None
    except UnidentifiedImageError:
        raise PhotoError(f"{label}: not an image that Pillow can read.") from None
    # Pillow's readers raise many kinds of errors on damaged files; to a user they are one.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(f"{label}: can't be read ({reason}).") from None


def _elsewhere_decoded(label: str, data: bytes, side: int | None) -> Image.Image:
    assert _elsewhere is not None
    try:
        return _elsewhere(data, side)
    except PhotoError as error:
        raise PhotoError(f"{label}: {error}") from None


#: How formats end that Pillow reads without their end; of all others it refuses a part.
_ENDS = {"PNG": b"IEND\xaeB`\x82", "GIF": b"\0;"}


def _refuse_cut(form: str | None, data: bytes) -> None:
    end = _ENDS.get(form or "")
    if end and end not in (data if form == "PNG" else data[-1024:]):
        raise OSError("image file is truncated (its end is missing)")


def _decoded(image: Image.Image, side: int | None) -> Image.Image:
    if not is_large(image):
        image.load()
        return fit(upright_rgb(image), side)
    with one_at_a_time:
        if side is not None:
            _check_side(side)
            return shrunk(image, side, _to_rgb)
        require(image)
        return upright_rgb(image)


class _Quiet:
    """Turns warnings off for all threads; `warnings.catch_warnings` alone can leave them off."""

    def __init__(self) -> None:
        self._lock, self._depth = Lock(), 0
        self._catch = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._catch = warnings.catch_warnings()
                self._catch.__enter__()
                warnings.simplefilter("ignore")
            self._depth += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._catch.__exit__(None, None, None)


#: Reentrant: a loop that reads many photos enters it once.
quiet = _Quiet()


def upright_rgb(image: Image.Image) -> Image.Image:
    """Turned as EXIF says, as 8-bit RGB.

    Raises:
        ValueError: its pixels have no range of 8 or 16 bits.
    """
    return _to_rgb(ImageOps.exif_transpose(image))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # Pillow would clip 16 bits to 8
        values = np.asarray(image).astype(np.float64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("32-bit integer pixels; expected 8 or 16 bits")
        return Image.fromarray((values / 257).round().astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels have no fixed range; expected 8 or 16 bits")
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def fit(image: Image.Image, size: PhotoSize | None) -> Image.Image:
    """The central part of this size's shape, resized to it (Lanczos); None keeps the image."""
    if size is None:
        return image
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise ValueError(f"`size` must be positive, got {size}.")
    _check_side(max(height, width))
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def _check_side(size: int) -> None:
    """Raises MemoryTooSmall for squares that do not fit: resized, as an array, and as float32."""
    if size**2 > LARGE:
        require_memory((4 + 3 + 12) * size**2, f"`size` {size}", "give a smaller one")
