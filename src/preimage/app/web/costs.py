"""What one request may cost: asked of its description, before anything is built."""

from math import prod

from preimage.app.web.diagram import steps
from preimage.app.web.settings import Bounds
from preimage.network.description import Description
from preimage.network.footprint import map_bytes, weight_bytes
from preimage.network.limit.held import covariance_bytes
from preimage.network.limit.offsets import backward_pass
from preimage.network.operations import Pool

_SCORING = 100  # bytes per pixel, of the photo and the output in single and double precision


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
    maps = max(map_bytes(network, (side, side)), _SCORING * side**2)
    needed = weight_bytes(network) + maps
    if needed > bounds.maps:
        raise ValueError(
            f"this network takes {needed / 1e9:.1f} GB, and a page at most "
            f"{bounds.maps / 1e9:.1f} GB; choose a smaller `size` or `width`."
        )


def require_limit(network: Description, side: int, bounds: Bounds) -> bool:
    """Refuses a limit that takes too long, or too much memory, for a page.

    Returns:
        whether it is sampled, for max pools are; else it is exact.

    Raises:
        ValueError: there is no limit, or it costs too much; with the reason.
    """
    recursion = backward_pass(network, side, side)
    stages = [*recursion.hidden, recursion.last]
    values = {stage.op.name: len(stage.given) * prod(stage.out_size) for stage in stages}
    pools = [s.op.name for s in stages if isinstance(s.op, Pool) and s.op.kind == "max"]
    if sum(values[name] for name in pools) > bounds.windows:
        raise ValueError(
            "Max pooling has no closed form. Its limit is sampled, which for this layer and size "
            "takes too long for a page: choose average pooling, a smaller `size`, or preimage "
            "limit on the command line."
        )
    memory = covariance_bytes(network, (side, side))
    if sum(values.values()) > bounds.covariances or memory > bounds.maps:
        raise ValueError(
            "The limit of this network takes too long, or too much memory, for a page: choose a "
            "smaller `size` or `layer`, l2 pooling, or preimage limit on the command line."
        )
    return bool(pools)
