"""What one request may cost: asked of its description, before anything is built."""

from math import prod

from preimage.app.web.diagram import steps
from preimage.app.web.settings import Bounds
from preimage.network.description import Description
from preimage.network.footprint import map_bytes, weight_bytes
from preimage.network.limit.offsets import backward_pass
from preimage.network.operations import Pool


def require_affordable(network: Description, side: int, bounds: Bounds) -> None:
    """Refuses a network that takes too long, or too much memory, for a page.

    Raises:
        ValueError: naming both numbers and what to do; or the photo is too small.
    """
    work = sum(step.multiply_adds for step in steps(network, side))
    if work > bounds.multiply_adds:
        raise ValueError(
            f"this network takes {work:.1e} multiply-adds, and a page at most "
            f"{bounds.multiply_adds:.0e}; choose a smaller `size`, `width` or `kernel_size`."
        )
    needed = weight_bytes(network) + map_bytes(network, (side, side))
    if needed > bounds.maps:
        raise ValueError(
            f"this network takes {needed / 1e9:.1f} GB, and a page at most "
            f"{bounds.maps / 1e9:.1f} GB; choose a smaller `size` or `width`."
        )


def sampled_windows(network: Description, side: int) -> int:
    """Windows of max pools that the limit samples for a photo, those of all offsets; 0 for none.

    Raises:
        ValueError: there is no limit, with the reason.
    """
    recursion = backward_pass(network, side, side)
    pools = (s for s in recursion.hidden if isinstance(s.op, Pool) and s.op.kind == "max")
    return sum(len(stage.given) * prod(stage.out_size) for stage in pools)
