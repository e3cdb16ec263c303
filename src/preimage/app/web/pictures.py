"""Tensors as pictures inside JSON: grey, colour, and differences in two colours."""

import io

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from preimage.data.html import data_uri

# Below and above zero, at the same luminance; white is no difference.
_BELOW, _ABOVE = (0.02, 0.35, 0.64), (0.71, 0.24, 0.04)


def png(image: Image.Image) -> bytes:
    """The picture as a PNG file; lossless, so that copies can be compared bit by bit."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def uri(image: Image.Image) -> str:
    """The picture as an address that contains it."""
    return data_uri(png(image), "png")


def signed(values: Float[Tensor, "h w"]) -> tuple[Image.Image, float]:
    """Blue below zero, orange above; and the size at which a colour is full.

    The half of a percent of values beyond it are clipped, so that one pixel does not pale the rest.
    """
    most = float(values.abs().flatten().quantile(0.995)) or 1.0
    share = (values / most).clamp(-1, 1)
    ends = torch.where((share < 0)[..., None], torch.tensor(_BELOW), torch.tensor(_ABOVE))
    colours = 1 + share.abs()[..., None] * (ends - 1)
    return Image.fromarray((colours * 255).round().byte().numpy()), most
