"""Photos in and out: any file a person has → (3, H, W) float32 RGB in [0, 255], and back.

Transparent pixels are laid over white; EXIF rotation is applied; 16-bit grey is scaled to 8.
"""

import hashlib
import io
import os
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

#: The side of the square that photos are brought to, as in the paper's Table 1.
SIZE = 227
#: Natural colour photos in scikit-image's wheel, of subjects a person recognises at once.
EMBEDDED = ("astronaut", "chelsea", "coffee", "rocket")
_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_LONGEST_NAME = 150  # bytes; files take 255, endings included
_LARGEST_MEMBER = 512 * 2**20  # bytes; a photo in a zip that unpacks to more is refused


class PhotoError(ValueError):
    """A photo that can't be read, in one line: which, and why."""


@dataclass(frozen=True)
class Photo:
    """RGB pixels in [0, 255], a name that is unique in its list, and where they came from."""

    name: str
    source: str
    pixels: Float[Tensor, "3 H W"]

    @property
    def sha256(self) -> str:
        """Of the shape and the pixels as they are used, not of the file."""
        data = self.pixels.contiguous().numpy()
        return hashlib.sha256(repr(data.shape).encode() + data.tobytes()).hexdigest()


def fingerprint(hashes: Iterable[str]) -> str:
    """A hash of a list of photos, from their own: pixels and order."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def embedded_photos(size: int | None = SIZE) -> list[Photo]:
    """Four photos that scikit-image ships: astronaut, chelsea (a cat), coffee, rocket."""
    from skimage import data

    return [
        Photo(
            name,
            f"scikit-image: data.{name}()",
            _to_tensor(_fit(Image.fromarray(getattr(data, name)()), size)),
        )
        for name in EMBEDDED
    ]


def load_photos(
    sources: str | Path | Sequence[str | Path],
    size: int | None = SIZE,
    on_error: Callable[[PhotoError], None] | None = None,
) -> Iterator[Photo]:
    """The photos of files, folders (with all below), zips and glob patterns, one by one.

    Args:
        sources: one or several.
        size: the centre square is resized to this side by Lanczos; None keeps photos as they are.
        on_error: takes the `PhotoError` of a photo that can't be read, and the others go on;
            without it the error is raised.

    Raises:
        PhotoError: not there, not an image, truncated, empty or too large; no photo in a folder.
    """
    if isinstance(sources, str | Path):
        sources = [sources]
    taken: set[str] = set()
    for source in sources:
        try:
            for path, read in _expand(str(source)):
                # A name on a disk need not be UTF-8; in a record it must.
                label = os.fsencode(path).decode("utf-8", "backslashreplace")
                try:
                    image = _fit(_decode(label, read), size)
                except PhotoError as error:
                    if on_error is None:
                        raise
                    on_error(error)
                    continue
                yield Photo(_unique(PurePosixPath(label).stem, taken), label, _to_tensor(image))
        except (OSError, zipfile.BadZipFile, PhotoError) as error:
            if not isinstance(error, PhotoError):
                error = PhotoError(f"{source}: can't be read ({error}).")
            if on_error is None:
                raise error from None
            on_error(error)


def to_image(pixels: Float[Tensor, "C H W"]) -> Image.Image:
    """An 8-bit picture of any tensor of 1 or 3 channels, stretched to [0, 255] as a whole."""
    low, high = pixels.min(), pixels.max()
    scaled = (pixels - low) / torch.where(high > low, high - low, 1.0) * 255
    array = scaled.round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


# --- files --------------------------------------------------------------------------------------

_Reader = Callable[[], bytes]


def _expand(source: str) -> Iterator[tuple[str, _Reader]]:
    """(label, reader) of each file that a source stands for."""
    path = Path(source)
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
        )
        if not files:
            raise PhotoError(f"{source}: no photo in this folder; expected {_suffix_list()}.")
        yield from ((str(file), file.read_bytes) for file in files)
    elif path.is_file():
        if zipfile.is_zipfile(path):
            yield from _expand_zip(path)
        else:
            yield str(path), path.read_bytes
    elif has_magic(source):
        matches = sorted(glob(source, recursive=True))
        if not matches:
            raise PhotoError(f"{source}: no file matches this pattern.")
        for match in matches:
            yield from _expand(match)
    else:
        raise PhotoError(f"{source}: no such file or folder.")


def _expand_zip(path: Path) -> Iterator[tuple[str, _Reader]]:
    with zipfile.ZipFile(path) as archive:
        members = [
            info
            for info in archive.infolist()
            if PurePosixPath(info.filename).suffix.lower() in _SUFFIXES
            and not PurePosixPath(info.filename).name.startswith(".")
        ]
        if not members:
            raise PhotoError(f"{path}: no photo in this zip; expected {_suffix_list()}.")
        for info in sorted(members, key=lambda info: info.filename):

            def read(info: zipfile.ZipInfo = info) -> bytes:
                if info.file_size > _LARGEST_MEMBER:
                    raise OSError(f"unpacks to {info.file_size:,} bytes")
                return archive.read(info)

            yield f"{path}/{info.filename}", read


def _suffix_list() -> str:
    return ", ".join(sorted(_SUFFIXES))


def _unique(stem: str, taken: set[str]) -> str:
    clean = "".join(c if c.isalnum() or c in "-_." else "_" for c in stem) or "photo"
    clean = clean.encode()[:_LONGEST_NAME].decode(errors="ignore")
    name, count = clean, 1
    while name in taken:
        count += 1
        name = f"{clean}-{count}"
    taken.add(name)
    return name


# --- pixels -------------------------------------------------------------------------------------


def _decode(label: str, read: _Reader) -> Image.Image:
    """An RGB image, upright, of whatever the bytes hold."""
    try:
        data = read()
        if not data:
            raise PhotoError(f"{label}: the file is empty.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large photos and odd metadata; errors stay
            image = Image.open(io.BytesIO(data))
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError(
            f"{label}: too many pixels (over {2 * (Image.MAX_IMAGE_PIXELS or 0):,}); it may be a "
            "decompression bomb. Shrink the photo first."
        ) from None
    except UnidentifiedImageError:
        raise PhotoError(f"{label}: not an image that Pillow can read.") from None
    # Decoders meet damaged files with many kinds of errors; to a person they are one.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(f"{label}: can't be read ({reason}).") from None


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
    return image.convert("RGB")


def _fit(image: Image.Image, size: int | None) -> Image.Image:
    if size is None:
        return image
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def _to_tensor(image: Image.Image) -> Float[Tensor, "3 H W"]:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
