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
    rungs = ["linear", *dict.fromkeys(rung for layer in numbers.layers for rung in layer.rungs)]
    kinds = [(rung, network) for rung in rungs for network in ("trained", "random")]
    photos: list[dict[str, Any]] = []
    for index, photo in enumerate(numbers.photos):
        rows = [_row(numbers.layers, index, *kind) for kind in kinds]
        shown = [row for row in rows if any(row["cells"])]
        photos.append({"number": index + 1, "picture": _uri(photo), "rows": shown})
    return {
        "photos": photos,
        "names": [layer.name for layer in numbers.layers],
        "labels": len(photos[0]["rows"]) > 1,
        "small": max(numbers.photos[0].shape[1:]) < 64,
    }


def _row(layers: Sequence[LayerReport], index: int, rung: str, network: str) -> dict[str, Any]:
    label = network if rung == "linear" else f"{rung}, {network}"
    return {"label": label, "cells": [_cell(layer, index, rung, network) for layer in layers]}


def _cell(layer: LayerReport, index: int, rung: str, network: str) -> Mapping[str, str] | None:
    """A picture with its PSNR; None where there is none."""
    found = layer if rung == "linear" else layer.rungs.get(rung)
    if found is None:
        return None
    trained = network == "trained"
    pictures = found.pictures if trained else found.twin_pictures
    if index >= len(pictures):
        return None
    psnr = (found.trained if trained else found.twins[0])[index]
    who = "the trained network" if trained else "a random twin"
    how = "" if rung == "linear" else f" by {rung}"
    return {
        "picture": _uri(pictures[index]),
        "alt": f"Photo {index + 1} as read from {layer.name} of {who}{how}, {psnr:.1f} dB",
        "psnr": f"{psnr:.1f} dB",
    }


def _uri(picture: Tensor) -> str:
    image = clipped_image(picture.float())
    image.thumbnail((_SIDE, _SIDE))
    return picture_uri(image, quality=85)
