"""Photos, opened: `load_photos` for people, `open_photos` for a single pass, `stack_photos`.

What a photo may be given as, `preimage.data.given` says.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.data.archives import OnError, PhotoError
from preimage.data.decoding import PhotoSize
from preimage.data.given import Given as Given
from preimage.data.given import Photos as Photos
from preimage.data.given import find, unique
from preimage.data.photo import SIZE, Photo, embedded_photos
from preimage.data.photo_list import PhotoList


def load_photos(
    sources: Photos, size: PhotoSize | None = SIZE, on_error: OnError | None = None
) -> PhotoList:
    """Photos of anything, as a sequence that reads each when it is asked for.

        >>> import numpy as np
        >>> photos = load_photos(np.zeros((5, 31, 20, 3), np.uint8))
        >>> len(photos), photos[-1].name, photos[1].size, len(photos[:3])
        (5, 'photo-5', (31, 20), 3)

    Args:
        sources: one or several of: files, folders (with subfolders), zips and glob patterns;
            `Photo` objects; PIL images; arrays (H, W, 3) or (N, H, W, 3); tensors (3, H, W) or
            (N, 3, H, W). Arrays and tensors are uint8, or other numbers in [0, 255].
        size: the central square of files and PIL images is resized to this side (Lanczos), or
            their central part to (height, width); None keeps them as they are.
        on_error: called with the `PhotoError` of each photo that cannot be read; the others are
            still read. Without it the error is raised.

    Raises:
        PhotoError: no such file, or no photo in a folder; and when it is read, a photo that is no
            image, truncated, empty or too large, or an array or tensor of another shape or range.
    """
    return PhotoList(find(sources, size, on_error), on_error)


def open_photos(
    sources: Photos | None, size: PhotoSize | None, on_error: OnError | None = None
) -> Iterator[Photo]:
    """The photos of `load_photos`, one pass, none kept; the embedded ones if no source is given."""
    if sources is None:
        yield from embedded_photos(size)
        return
    taken: set[str] = set()
    for found in find(sources, size, on_error):
        try:
            photo = found.read()
        except PhotoError as error:
            if on_error is None:
                raise
            on_error(error)
            continue
        yield replace(photo, name=unique(found.stem, taken))


def open_photo(source: Photos | None, size: PhotoSize | None) -> Photo:
    """The single photo of a source, or the first embedded one.

    Raises:
        PhotoError: it can't be read, or there are several.
    """
    photos = list(itertools.islice(open_photos(source, size), 2 if source is not None else 1))
    if len(photos) > 1:
        named = source if isinstance(source, str | Path) else "`photo`"
        raise PhotoError(f"{named}: contains several photos; name one of them.")
    return photos[0]


def stack_photos(sources: Photos, size: PhotoSize | None) -> Float[Tensor, "N 3 H W"]:
    """All of them as one tensor in [0, 255].

    Raises:
        PhotoError: there are none, a photo can't be read, or they differ in size.
    """
    pixels = [photo.pixels for photo in open_photos(sources, size)]
    if not pixels:
        raise PhotoError("`photos`: there are none.")
    if sizes := sorted({tuple(p.shape[1:]) for p in pixels} - {tuple(pixels[0].shape[1:])}):
        one, other = ("×".join(map(str, s)) for s in (pixels[0].shape[1:], sizes[0]))
        remedy = "give `size` to crop and resize files to one" if size is None else "cut them alike"
        raise PhotoError(f"`photos` must have one size, got {one} and {other}; {remedy}.")
    return torch.stack(pixels)
