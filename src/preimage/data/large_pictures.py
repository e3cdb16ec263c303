"""Pictures of more than 50 million pixels, made smaller before they take gigabytes."""

from collections.abc import Callable
from threading import Lock

from PIL import Image, ImageOps

from preimage.data.free_memory import require_memory

#: Pixels; a picture with more of them is shrunk while it is read, where it is to be shrunk at all.
LARGE = 50_000_000
_LANCZOS = Image.Resampling.LANCZOS
_ORIENTATION = 0x0112  # in EXIF
_SPARE = 4  # times the side that is wanted, so that averages before Lanczos hardly show
_STRIP = 2**20  # pixels that are converted at once
# Bytes per pixel: as decoded; and whole, as decoded, as RGB, as an array, and as float32.
_DECODED, _WHOLE = 4, 4 + 4 + 3 + 12

#: Held while a large picture is read, so that many threads do not hold many of them.
one_at_a_time = Lock()


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
