"""Feature maps and pixels on one grid: a feature vector per block of stride × stride pixels."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.decoders.arrays import Maps, Photos, Targets
from preimage.network.trace import Alignment, Size


def on_blocks(features: Maps, alignment: Alignment, size: Size) -> Float[Tensor, "N C H W"]:
    """One feature vector per block of pixels; the last one is repeated where the maps end early."""
    stride, shift = alignment
    height, width = (-(-length // stride) for length in size)
    if shift == 0 and features.shape[2:] == (height, width):
        return features
    device = features.device
    rows = (torch.arange(height, device=device) - shift).clamp(0, features.shape[2] - 1)
    columns = (torch.arange(width, device=device) - shift).clamp(0, features.shape[3] - 1)
    return features[:, :, rows][:, :, :, columns]


def to_blocks(photos: Photos, stride: int) -> Targets:
    """Pixels gathered in blocks, the last row and column repeated to fill the last block."""
    height, width = (
        torch.arange(-(-length // stride) * stride, device=photos.device).clamp(max=length - 1)
        for length in photos.shape[2:]
    )
    return F.pixel_unshuffle(photos[:, :, height][:, :, :, width], stride)
