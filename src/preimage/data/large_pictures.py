"""Pictures of more than 50 million pixels, made smaller before they take gigabytes."""

import io
from collections.abc import Callable
from threading import Lock

from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from preimage.data.free_memory import require_memory

#: Pixels; a picture with more of them is shrunk while it is read, where it is to be shrunk at all.
LARGE = 50_000_000
#: Pixels that a picture may have, and a JPEG that is shrunk as it is read, piece by piece.
_most, _most_in_pieces = 178_956_970, 1_000_000_000  # the first is Pillow's own
_LANCZOS = Image.Resampling.LANCZOS
_ORIENTATION = 0x0112  # in EXIF
_SPARE = 4  # times the side that is wanted, so that averages before Lanczos hardly show
_STRIP = 2**20  # pixels that are converted at once
# Bytes per pixel: as decoded; and whole, as decoded, as RGB, as an array, and as float32.
_DECODED, _WHOLE = 4, 4 + 4 + 3 + 12

#: Held while a large picture is read, so that many threads do not hold many of them.
one_at_a_time = Lock()


class TooManyPixels(ValueError):
    """A picture has more pixels than are read."""


def allow(pixels: int) -> None:
    """Sets how many pixels any picture of this process may have."""
    global _most, _most_in_pieces
    _most = _most_in_pieces = pixels
    Image.MAX_IMAGE_PIXELS = -(-pixels // 2)  # Pillow refuses twice as many


def open_picture(data: bytes, side: int | None) -> Image.Image:
    """The picture in these bytes, its header read and no pixel decoded.

    Args:
        side: it is to be shrunk to; None if it is to be kept whole.

    Raises:
        TooManyPixels: more than 179 million; 1,000 million for a JPEG that can be decoded at
            reduced size without being held whole, which those of phones are.
        UnidentifiedImageError: no picture.
    """
    try:
        image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError:
        if not data.startswith(b"\xff\xd8\xff"):
            raise TooManyPixels(_too_many(_most)) from None
        image = JpegImageFile(io.BytesIO(data))
    in_pieces = side is not None and isinstance(image, JpegImageFile) and _in_one_scan(image, data)
    most = _most_in_pieces if in_pieces else _most
    if image.width * image.height > most:
        raise TooManyPixels(_too_many(most))
    return image


def _too_many(most: int) -> str:
    return f"too many pixels (over {most:,}); shrink the picture first."


def _in_one_scan(image: JpegImageFile, data: bytes) -> bool:
    """Whether a JPEG's colours lie side by side; if not, its decoder holds all coefficients."""
    if "progressive" in image.info or image.fp is None:
        return False
    # The header of the first scan, which has just been read: its length, and how many colours.
    length = 6 + 2 * image.layers
    at = image.fp.tell() - length
    return data[at : at + 3] == bytes((0, length, image.layers))


def is_large(image: Image.Image) -> bool:
    """Whether a picture, not decoded yet, has more than 50 million pixels."""
    return image.width * image.height > LARGE


def shrunk(
    image: Image.Image, side: int, to_rgb: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """The central square of a large picture, of this side (Lanczos), as upright RGB.

    JPEG is decoded at a half, a quarter or an eighth. Any other is decoded whole, 4 bytes per
    pixel, and averaged over blocks of pixels, strip by strip.

    Raises:
        MemoryTooSmall: its pixels do not fit in memory.
    """
    orientation = image.getexif().get(_ORIENTATION, 1)
    # What is no JPEG stays as it is.
    drafted = image.draft(image.mode, (_SPARE * side, _SPARE * side))
    width, height = drafted[1][2:] if drafted else image.size  # with fractions of pixels
    factor = max(min(image.size) // (_SPARE * side), 1)
    require(image, _DECODED if factor > 1 else _WHOLE)
    image.load()
    small = _averaged(image, factor, to_rgb) if factor > 1 else to_rgb(image)
    square = min(width, height)
    left, top = (width - square) / 2, (height - square) / 2
    right, bottom = min(left + square, image.width), min(top + square, image.height)
    box = (left / factor, top / factor, right / factor, bottom / factor)
    small = small.resize((side, side), _LANCZOS, box)
    small.getexif()[_ORIENTATION] = orientation
    return ImageOps.exif_transpose(small)


def require(image: Image.Image, bytes_per_pixel: int = _WHOLE) -> None:
    """Refuses a picture that does not fit in memory.

    Raises:
        MemoryTooSmall: naming its size.
    """
    what = f"a picture of {image.width:,}×{image.height:,} pixels"
    require_memory(bytes_per_pixel * image.width * image.height, what, "shrink it first")


def _averaged(
    image: Image.Image, factor: int, to_rgb: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """The mean of each block of factor × factor pixels."""
    width, height = image.size
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = max(_STRIP // width // factor, 1) * factor
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        small.paste(to_rgb(strip).reduce(factor), (0, top // factor))
    return small
