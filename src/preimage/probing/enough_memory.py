"""Whether a probe fits in memory: of its photos, before one is read; of its layers, once known."""

import torch
from torch import nn

from preimage.data.free_memory import require_memory
from preimage.network.footprint import module_bytes, window_bytes
from preimage.network.trace import Size
from preimage.probing.linear_rung import Experiment

_PHOTOS = 5  # the fewest that a probe fits to, in one batch


def require_photos(model: nn.Module, size: Size, batch_size: int = _PHOTOS) -> None:
    """Refuses photos of a size at which a batch through the model does not fit in memory.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
    """
    count = min(batch_size, _PHOTOS)
    what = f"a batch of {count} photos of {size[0]}×{size[1]} pixels"
    needed = module_bytes(model, size, photos=count)
    require_memory(needed, what, "give a smaller `size`", _device(model))


def require_probe(experiment: Experiment) -> None:
    """Refuses a probe whose linear decoders, all fitted in one pass, do not fit in memory.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
    """
    layers = f"`window` {experiment.window} over {len(experiment.targets)} layers"
    remedy = "give a smaller `window`, fewer `layers`, or `components`"
    require_memory(probe_bytes(experiment), layers, remedy)


def probe_bytes(experiment: Experiment) -> int:
    """The memory that the sums of all linear decoders take at the least."""
    needed = 0
    for target in experiment.targets:
        if target.placement is None or target.layout.grid is None:
            continue
        channels = min(target.layout.channels, experiment.components or target.layout.channels)
        rows, columns = (count + experiment.window for count in target.layout.grid)
        stride = target.placement.alignment.stride
        positions = experiment.batch_size * rows * columns
        needed += window_bytes(channels, stride, experiment.window, positions)
    return needed


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters(), torch.empty(0)).device
