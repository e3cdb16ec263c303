"""Where positions lie that each see the whole photo: chosen on photos held back.

Their edges can't be measured. They are taken to lie evenly on the photo, and small linear decoders
of the block that this gives, and of the blocks beside it, tell which one a position stands for.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network.trace import Alignment
from preimage.probing.alignment import Placement
from preimage.probing.block_sums import PixelBlocks
from preimage.probing.linear import RIDGES, LinearSums

Pixels = Float[Tensor, "N 3 H W"]
SHIFTS = (0, -1, 1)  # blocks down and to the right
_PHOTOS, _LEAST = 24, 8
_HELD_BACK = 4  # one in so many
_POSITIONS, _COMPONENTS = 64, 64
_BATCH = 8
_CLEARLY = 0.9  # of the error: where a position lies between two blocks, a few photos can't tell


@torch.no_grad()
def choose_shifts(
    features: Callable[[Tensor], Mapping[str, Float[Tensor, "N C h w"]]],
    placements: Mapping[str, Placement],
    photos: Pixels,
) -> dict[str, Placement]:
    """Placements, those on a grid with the shift whose decoder does best on photos held back.

    Another block than the even grid's has to leave a tenth less of the squared error.

    Of at most 24 photos, a quarter of them held back, at 64 random positions of each; 64 principal
    components of the channels are read. With fewer than 8 photos the grid stays as it is.

    Args:
        features: pixels in [0, 255] → maps by layer, in one pass.
        photos: training photos, in [0, 255].
    """
    chosen = dict(placements)
    open_ones = {
        name: placement
        for name, placement in placements.items()
        if placement.how == "grid" and placement.stride.denominator == 1
    }
    if not open_ones or len(photos) < _LEAST:
        return chosen
    sums = {
        (name, shift): LinearSums(
            Alignment(placement.alignment.stride, shift), 1, _POSITIONS, _COMPONENTS
        )
        for name, placement in open_ones.items()
        for shift in SHIFTS
    }
    for part in torch.split(photos[:_PHOTOS].float(), _BATCH):
        maps, blocks = features(part), PixelBlocks(part)
        held = [i % _HELD_BACK == 1 for i in range(len(part))]
        for (name, _), sum_ in sums.items():
            sum_.add(maps[name], blocks, held)
    for name, placement in open_ones.items():
        errors = {shift: sums[name, shift].least_error(RIDGES) for shift in SHIFTS}
        shift = min(SHIFTS, key=errors.__getitem__)
        if not errors[shift] < _CLEARLY * errors[0]:
            shift = 0
        if errors[shift] < inf:
            centre = placement.centre + shift * placement.alignment.stride
            chosen[name] = replace(placement, centre=centre, how="chosen")
    return chosen
