"""Max and l2 pools: the layers up to the last of them are drawn, the others stay infinitely wide.

Between two positions such a pool has no closed form (E max · max' of Gaussians, E ‖·‖ ‖·‖'). The
sampler of `network.limit.max_pooling`, which draws the windows of a pair, would serve a kernel
badly: an error of its own in every entry makes it indefinite. So the features behind the last such
pool are drawn as a network draws them, `width` channels in every layer up to there, and take the
place of the photo's channels in the exact recursion. That kernel is a kernel; its error falls as
1/width, and several draws tell its spread.
"""

from dataclasses import replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.operations import Conv, Pool

_BATCH = 16  # photos at once


def split_at_pool(encoder: Description, width: int) -> tuple[Description | None, Description]:
    """What must be drawn, at this width, and the description of what follows; None if nothing.

    Raises:
        ValueError: nothing random follows the pool.
    """
    ops = encoder.operations
    first = next((i for i, op in enumerate(ops) if isinstance(op, Conv)), len(ops))
    ends = [
        i
        for i, op in enumerate(ops)
        if i > first and isinstance(op, Pool) and op.kind in ("max", "l2")
    ]
    if not ends:
        return None, encoder
    end = ends[-1] + 1
    if not any(isinstance(op, Conv) for op in ops[end:]):
        raise ValueError(
            f"{ops[end - 1].name}: nothing random follows this pool of {encoder.name}, which has "
            "no closed form; take the layer before it, or `with_pool('avg')`."
        )
    drawn = replace(encoder, operations=ops[:end]).with_width(width)
    return drawn, Description(encoder.name, ops[end:], drawn.out_channels)


@torch.no_grad()
def drawn_maps(
    description: Description, photos: UInt8[Tensor, "N D H W"], seed: int, number: int
) -> Float[Tensor, "N C h w"]:
    """Features of the drawn layers, float32, with `gaussian:fan-in` weights."""
    network = build(description, seed=seed, network_number=number)
    return torch.cat([network(part.float()) for part in torch.split(photos, _BATCH)])
