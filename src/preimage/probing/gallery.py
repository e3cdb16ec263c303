"""Pictures of a probe: what comes back of a photo from each layer, trained and random."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from preimage.data.html import picture_uri
from preimage.data.photo import clipped_image
from preimage.probing.layer_report import LayerReport
from preimage.probing.numbers import ProbeNumbers

_SIDE = 256  # larger pictures are shrunk to this


def gallery(numbers: ProbeNumbers) -> Mapping[str, Any] | None:
    """A block per photo: the photo, and for each layer what the network and a twin give back."""
    if not numbers.photos:
        return None
    twins = all(layer.twin_pictures for layer in numbers.layers)
    photos = [
        {
            "number": index + 1,
            "picture": _uri(photo),
            "layers": [_cells(layer, index, twins) for layer in numbers.layers],
        }
        for index, photo in enumerate(numbers.photos)
    ]
    small = max(numbers.photos[0].shape[1:]) < 64
    return {"photos": photos, "twins": twins, "small": small}


def _cells(layer: LayerReport, index: int, twins: bool) -> Mapping[str, Any]:
    cells = [_cell(layer, "the trained network", layer.pictures, layer.trained, index)]
    if twins:
        cells.append(_cell(layer, "a random twin", layer.twin_pictures, layer.twins[0], index))
    return {"name": layer.name, "cells": cells}


def _cell(
    layer: LayerReport,
    network: str,
    pictures: Sequence[Tensor],
    psnr: Sequence[float],
    index: int,
) -> Mapping[str, str]:
    alt = f"Photo {index + 1} as read from {layer.name} of {network}, {psnr[index]:.1f} dB"
    return {
        "picture": _uri(pictures[index]),
        "alt": alt,
        "psnr": f"{psnr[index]:.1f} dB",
    }


def _uri(picture: Tensor) -> str:
    image = clipped_image(picture.float())
    image.thumbnail((_SIDE, _SIDE))
    return picture_uri(image, quality=85)
