"""Finite networks at the positions of tiles, for comparison: their features, and their errors."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from preimage.network import layers
from preimage.network.build import Network
from preimage.network.limit.cross import cut_tiles, pixel_shares
from preimage.network.limit.pairs import PairRecursion
from preimage.network.limit.tiles import Tiles
from preimage.network.operations import Conv, Pool
from preimage.retention.positions import distinct


@torch.no_grad()
def tile_features(
    network: Network,
    recursion: PairRecursion,
    photos: UInt8[Tensor, "N D H W"],
    tiles: Tiles,
    batch: int = 16,
) -> Float[Tensor, "P C"]:
    """A network's features at the positions of tiles, float32.

    Only what the tiles see is computed: a tile with its receptive field, zeros beyond the photo. Of
    tiles as large as the map, the photo. Average pools only.

    Args:
        recursion: of the network's description with a window of 1.
        batch: tiles at once.
    """
    parts = [tiles[start : start + batch] for start in range(0, len(tiles), batch)]
    return torch.cat([_features(network, recursion, photos, part) for part in parts])


@torch.no_grad()
def photo_features(
    network: nn.Module, photos: UInt8[Tensor, "N D H W"], tiles: Tiles, batch: int = 16
) -> Float[Tensor, "P C"]:
    """The same from maps of whole photos, whatever the pools."""
    parts = []
    for start in range(0, len(tiles), batch):
        part = tiles[start : start + batch]
        chosen, numbers = distinct(part.photos)
        maps = network(photos[chosen].float())
        rows, columns = (
            torch.arange(side)[:, None] + part.corners[:, axis]
            for axis, side in enumerate(part.size)
        )
        found = maps[numbers, :, rows[:, None], columns[None]]  # (rows, columns, tiles, C)
        parts.append(found.permute(2, 0, 1, 3).flatten(0, 2))
    return torch.cat(parts)


def _features(
    network: Network, recursion: PairRecursion, photos: Tensor, tiles: Tiles
) -> Float[Tensor, "P C"]:
    chosen, numbers = distinct(tiles.photos)
    maps = photos[chosen].float()
    if tiles.size == recursion.size:
        return photo_features(network, photos, tiles)
    for op, size in recursion.before:
        maps = layers.apply(maps, op, size)
    here = Tiles(numbers, tiles.corners, tiles.size)
    x = cut_tiles(recursion.alone[0], maps, here).permute(3, 0, 1, 2)
    for step in recursion.alone:
        share = pixel_shares(step, tiles).float().permute(2, 0, 1)[:, None]
        match step.op:
            case Conv() as conv:
                weight = network.weights[conv.name]
                bias = network.biases[conv.name] if conv.bias else None
                x = x.contiguous(memory_format=torch.channels_last)
                x = layers.activate(F.conv2d(x, weight, bias, conv.stride), conv)
            case Pool() as pool:
                x = F.avg_pool2d(x, pool.kernel_size, pool.stride, divisor_override=1)
        x = x * share
    return x.permute(0, 2, 3, 1).flatten(0, 2)
