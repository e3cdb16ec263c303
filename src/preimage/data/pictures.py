"""Pictures as people have them, as one batch: of any range, with 1 or 3 channels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Num
from PIL import Image
from torch import Tensor

from preimage.data.decoding import PhotoSize, fit, upright_rgb
from preimage.data.photo import Photo, to_pixels
from preimage.data.photos import stack_photos

#: One or several: tensors (H, W), (C, H, W) or (N, C, H, W) and arrays (H, W), (H, W, C) or
#: (N, H, W, C) of any range with 1 or 3 channels; PIL images, `Photo`s, paths; lists of these.
Pictures = Num[Tensor, "..."] | np.ndarray | Image.Image | Photo | str | Path | Sequence[Any]
_FORMS = (
    "tensors (H, W), (C, H, W) or (N, C, H, W), arrays (H, W), (H, W, C) or (N, H, W, C), with 1 "
    "or 3 channels, PIL images, `Photo`s or paths"
)


def picture_batch(
    pictures: Pictures, argument: str = "pictures", size: PhotoSize | None = None
) -> Num[Tensor, "N C H W"]:
    """Pictures in any of these forms as one batch; values of tensors and arrays stay as they are.

    Args:
        argument: what a message calls them.
        size: the central square of files and PIL images is resized to this side; None keeps them.

    Raises:
        ValueError: something else, or pictures of different sizes; the message lists the forms.
        PhotoError: a file can't be read.
    """
    if isinstance(pictures, Tensor) and pictures.ndim == 4:
        return pictures
    batches = _batches(pictures, argument, size)
    shapes = sorted({tuple(batch.shape[1:]) for batch in batches})
    if len(shapes) != 1:
        found = " and ".join(map(str, shapes[:2])) if shapes else "none"
        raise ValueError(f"`{argument}` must be pictures of one size, got {found}.")
    return batches[0] if len(batches) == 1 else torch.cat(batches)


def _batches(pictures: Any, argument: str, size: PhotoSize | None) -> list[Tensor]:
    match pictures:
        case str() | Path():
            return [stack_photos(pictures, size)]
        case Photo():
            return [pictures.pixels[None]]
        case Image.Image():
            return [to_pixels(fit(upright_rgb(pictures), size)).float()[None]]
        case np.ndarray() if pictures.ndim in (2, 3, 4):
            array = pictures[..., None] if pictures.ndim == 2 else pictures
            batch = torch.from_numpy(np.ascontiguousarray(array)).movedim(-1, -3)
        case Tensor() if pictures.ndim in (2, 3, 4):
            batch = pictures
        case Sequence():
            return [part for one in pictures for part in _batches(one, argument, size)]
        case _:
            given = getattr(pictures, "shape", type(pictures).__name__)
            raise ValueError(f"`{argument}` must be {_FORMS}; got {given}.")
    while batch.ndim < 4:
        batch = batch[None]
    if batch.shape[1] not in (1, 3):
        raise ValueError(f"`{argument}` must be {_FORMS}; got {tuple(pictures.shape)}.")
    return [batch]


def side_of(pictures: Pictures) -> int | None:
    """The side of square pictures whose size is known without reading them, else None."""
    found = pictures[0] if isinstance(pictures, list | tuple) and pictures else pictures
    if isinstance(found, Photo):
        found = found.pixels
    if isinstance(found, Tensor) and found.ndim >= 2 and found.shape[-1] == found.shape[-2]:
        return int(found.shape[-1])
    if isinstance(found, np.ndarray) and found.ndim >= 2:
        height, width = found.shape[:2] if found.ndim < 4 else found.shape[1:3]
        return int(height) if height == width else None
    return None
