"""Photos as people have them: files, PIL images, arrays, tensors; each becomes a `Photo`.

One rule for all who take photos. Files and PIL images are cropped to their central square and
resized; `Photo` objects, arrays and tensors are pixels already and stay as they are. Pixels are in
[0, 255].
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from preimage.data.archives import Entry, OnError, PhotoError, expand
from preimage.data.decoding import PhotoSize, fit, read_image, upright_rgb
from preimage.data.photo import Photo, to_pixels

Given = str | Path | Photo | Image.Image | np.ndarray | Tensor
#: One or several: paths (files, folders, zips, patterns), `Photo` objects, PIL images, NumPy arrays
#: (H, W, 3) or (N, H, W, 3), tensors (3, H, W) or (N, 3, H, W).
Photos = Given | Sequence[Given]

_LONGEST_NAME = 150  # bytes; files take 255, endings included


@dataclass(frozen=True)
class Found:
    """A photo that is there: the stem of its name, and how its pixels are read."""

    stem: str
    read: Callable[[], Photo]


def find(sources: Any, size: PhotoSize | None, on_error: OnError | None = None) -> Iterator[Found]:
    """Each photo of anything, not yet read.

    Args:
        on_error: called with the error of each file or archive that cannot be opened.

    Raises:
        PhotoError: without `on_error`, the first of them; or something else than photos.
    """
    for source in _one_by_one(sources):
        if isinstance(source, str | Path):
            for entry in expand(str(source), on_error):
                yield Found(PurePosixPath(entry.shown).stem, partial(_read_file, entry, size))
        else:
            yield Found(_stem(source), partial(_given, source, size))


def _one_by_one(sources: Any) -> Iterator[Given]:
    """Each file name, picture, array and tensor, batches taken apart."""
    if isinstance(sources, str | Path | Photo | Image.Image):
        yield sources
    elif isinstance(sources, Tensor | np.ndarray):
        yield from sources if sources.ndim == 4 else [sources]
    elif isinstance(sources, Iterable):
        for source in sources:
            yield from _one_by_one(source)
    else:
        raise PhotoError(
            f"`photos` must be paths, `Photo`s, PIL images, arrays (H, W, 3) or tensors (3, H, W), "
            f"got {type(sources).__name__}."
        )


def _read_file(entry: Entry, size: PhotoSize | None) -> Photo:
    name = entry.shown
    if isinstance(size, tuple):
        image = fit(read_image(name, entry.read), size)
    else:  # a large picture is never whole in memory
        image = read_image(name, entry.read, size)
    return Photo(PurePosixPath(name).stem, name, to_pixels(image).float())


def _stem(source: Photo | Image.Image | np.ndarray | Tensor) -> str:
    if isinstance(source, Photo):
        return source.name
    named = getattr(source, "filename", "") if isinstance(source, Image.Image) else ""
    return PurePosixPath(str(named or "photo")).stem


def _given(source: Photo | Image.Image | np.ndarray | Tensor, size: PhotoSize | None) -> Photo:
    if isinstance(source, Photo):
        return source
    if isinstance(source, Image.Image):
        named = getattr(source, "filename", "") or "photo"
        try:
            image = fit(upright_rgb(source), size)
        except (ValueError, OSError) as error:
            raise PhotoError(f"{named}: can't be read ({error}).") from None
        return Photo(_stem(source), "PIL image", to_pixels(image).float())
    if isinstance(source, Tensor):
        return Photo("photo", "tensor", _tensor_pixels(source))
    return Photo("photo", "array", _array_pixels(source))


def _tensor_pixels(pixels: Tensor) -> Float[Tensor, "3 H W"]:
    if pixels.ndim != 3 or len(pixels) != 3:
        raise PhotoError(
            f"tensors of `photos` must be (3, H, W) or (N, 3, H, W), got {tuple(pixels.shape)}."
        )
    values = pixels.detach().cpu()
    _check_range(values, values.is_floating_point())
    return values.float()


def _array_pixels(pixels: np.ndarray) -> Float[Tensor, "3 H W"]:
    if pixels.ndim == 2:  # grey
        pixels = np.stack([pixels] * 3, -1)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise PhotoError(
            f"arrays of `photos` must be (H, W, 3) or (N, H, W, 3), got {pixels.shape}; tensors "
            "have their channels first."
        )
    values = torch.from_numpy(np.ascontiguousarray(pixels)).movedim(2, 0)
    _check_range(values, values.is_floating_point())
    return values.float().contiguous()


def _check_range(values: Tensor, fractions: bool) -> None:
    if not values.numel():
        raise PhotoError("a photo of `photos` has no pixels.")
    low, high = float(values.min()), float(values.max())
    if fractions and 0 < high <= 1 and low >= 0:
        raise PhotoError(
            "`photos` must have pixels in [0, 255], got values in [0, 1]; multiply them by 255."
        )
    if not (low >= 0 and high <= 255):
        raise PhotoError(
            f"`photos` must have pixels in [0, 255], got values from {low:g} to {high:g}; give "
            "them before any normalisation."
        )


def unique(stem: str, taken: set[str]) -> str:
    """A name made of the stem that files can have and that is not taken; then it is."""
    clean = "".join(c if c.isalnum() or c in "-_." else "_" for c in stem)
    clean = clean.lstrip(".") or "photo"  # pictures of a hidden photo are for people to see
    clean = clean.encode()[:_LONGEST_NAME].decode(errors="ignore")
    name, count = clean, 1
    while name in taken:
        count += 1
        name = f"{clean}-{count}"
    taken.add(name)
    return name
