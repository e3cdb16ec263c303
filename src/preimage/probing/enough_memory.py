"""Whether a probe fits in memory: asked when its layers are known, before any is fitted."""

from preimage.data.free_memory import require_memory
from preimage.network.footprint import window_bytes
from preimage.probing.linear_rung import Experiment


def require_probe(experiment: Experiment) -> None:
    """Refuses a probe whose linear decoders, all fitted in one pass, do not fit in memory.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
    """
    needed = 0
    for target in experiment.targets:
        if target.placement is None or target.layout.grid is None:
            continue
        channels = min(target.layout.channels, experiment.components or target.layout.channels)
        rows, columns = (count + experiment.window for count in target.layout.grid)
        stride = target.placement.alignment.stride
        positions = experiment.batch_size * rows * columns
        needed += window_bytes(channels, stride, experiment.window, positions)
    layers = f"`window` {experiment.window} over {len(experiment.targets)} layers"
    remedy = "give a smaller `window`, fewer `layers`, or `components`"
    require_memory(needed, layers, remedy)
