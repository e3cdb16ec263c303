"""Photos as people have them: files, PIL images, arrays, tensors; each becomes a `Photo`.

One rule for all who take photos. Files and PIL images are cropped to their central square and
resized; `Photo` objects, arrays and tensors are pixels already and stay as they are. Pixels are in
[0, 255].
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from preimage.data.archives import OnError, PhotoError, expand
from preimage.data.decoding import fit, read_image, upright_rgb
from preimage.data.photo import SIZE, Photo, embedded_photos, to_pixels

Given = str | Path | Photo | Image.Image | np.ndarray | Tensor
#: One or several: paths (files, folders, zips, patterns), `Photo` objects, PIL images, NumPy arrays
#: (H, W, 3) or (N, H, W, 3), tensors (3, H, W) or (N, 3, H, W).
Photos = Given | Sequence[Given]

_LONGEST_NAME = 150  # bytes; files take 255, endings included


def load_photos(
    sources: Photos, size: int | None = SIZE, on_error: OnError | None = None
) -> Iterator[Photo]:
    """Photos of anything, one at a time.

        >>> import numpy as np
        >>> [photo] = load_photos(np.zeros((31, 20, 3), np.uint8))
        >>> photo.name, tuple(photo.pixels.shape)
        ('photo', (3, 31, 20))

    Args:
        sources: one or several of: files, folders (with subfolders), zips and glob patterns;
            `Photo` objects; PIL images; arrays (H, W, 3) or (N, H, W, 3); tensors (3, H, W) or
            (N, 3, H, W). Arrays and tensors are uint8, or other numbers in [0, 255].
        size: the central square of files and PIL images is resized to this side (Lanczos); None
            keeps them as they are.
        on_error: called with the `PhotoError` of each photo that cannot be read; the others are
            still read. Without it the error is raised.

    Raises:
        PhotoError: no such file, not an image, truncated, empty, too large; no photo in a folder;
            an array or tensor of another shape or range.
    """
    taken: set[str] = set()
    for source in _one_by_one(sources):
        if isinstance(source, str | Path):
            yield from _load_files(source, size, on_error, taken)
            continue
        try:
            photo = _given(source, size)
        except PhotoError as error:
            if on_error is None:
                raise
            on_error(error)
            continue
        yield replace(photo, name=_unique(photo.name, taken))


def open_photos(
    sources: Photos | None, size: int | None, on_error: OnError | None = None
) -> Iterator[Photo]:
    """`load_photos`, or the embedded photos if no source is given."""
    if sources is None:
        return iter(embedded_photos(size))
    return load_photos(sources, size, on_error)


def open_photo(source: Photos | None, size: int | None) -> Photo:
    """The single photo of a source, or the first embedded one.

    Raises:
        PhotoError: it can't be read, or there are several.
    """
    photos = list(itertools.islice(open_photos(source, size), 2 if source is not None else 1))
    if len(photos) > 1:
        named = source if isinstance(source, str | Path) else "`photo`"
        raise PhotoError(f"{named}: contains several photos; name one of them.")
    return photos[0]


def stack_photos(sources: Photos, size: int | None) -> Float[Tensor, "N 3 H W"]:
    """All of them as one tensor in [0, 255].

    Raises:
        PhotoError: there are none, a photo can't be read, or they differ in size.
    """
    pixels = [photo.pixels for photo in load_photos(sources, size)]
    if not pixels:
        raise PhotoError("`photos`: there are none.")
    if sizes := sorted({tuple(p.shape[1:]) for p in pixels} - {tuple(pixels[0].shape[1:])}):
        one, other = ("×".join(map(str, s)) for s in (pixels[0].shape[1:], sizes[0]))
        raise PhotoError(
            f"`photos` must have one size, got {one} and {other}; files and PIL images are resized "
            "to one."
        )
    return torch.stack(pixels)


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


def _load_files(
    source: str | Path, size: int | None, on_error: OnError | None, taken: set[str]
) -> Iterator[Photo]:
    for entry in expand(str(source), on_error):
        name = entry.shown
        try:
            image = read_image(name, entry.read, size)
        except PhotoError as error:
            if on_error is None:
                raise
            on_error(error)
            continue
        yield Photo(_unique(PurePosixPath(name).stem, taken), name, to_pixels(image).float())


def _given(source: Photo | Image.Image | np.ndarray | Tensor, size: int | None) -> Photo:
    if isinstance(source, Photo):
        return source
    if isinstance(source, Image.Image):
        named = getattr(source, "filename", "") or "photo"
        try:
            image = fit(upright_rgb(source), size)
        except (ValueError, OSError) as error:
            raise PhotoError(f"{named}: can't be read ({error}).") from None
        return Photo(PurePosixPath(str(named)).stem, "PIL image", to_pixels(image).float())
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


def _unique(stem: str, taken: set[str]) -> str:
    clean = "".join(c if c.isalnum() or c in "-_." else "_" for c in stem)
    clean = clean.lstrip(".") or "photo"  # pictures of a hidden photo are for people to see
    clean = clean.encode()[:_LONGEST_NAME].decode(errors="ignore")
    name, count = clean, 1
    while name in taken:
        count += 1
        name = f"{clean}-{count}"
    taken.add(name)
    return name
