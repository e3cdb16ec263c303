"""Whether random networks fit in memory: asked before a weight is drawn or a photo is read."""

from collections.abc import Iterable, Mapping, Sequence
from math import prod

from preimage.data.free_memory import require_memory
from preimage.network.description import Description
from preimage.network.device import resolve_device
from preimage.network.footprint import map_bytes, weight_bytes
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import Size, feature_size, input_sizes

# Bytes per pixel: photo, output, both in grey; in float64 both, and both without their means.
_SCORING = 12 + 4 + 2 * 4 + 2 * 8 + 2 * 8
_REMEDY = "give a smaller `size` or `width`"
_SAME_MAPS = ("network_number", "seed", "weights", "input")  # whatever these are


def require_pairs(configs: Iterable[ReconstructConfig], remedy: str = _REMEDY) -> None:
    """Refuses random networks whose weights, or whose maps of photos of `size`, do not fit.

    A `size` of 0 keeps the photos' own, of which nothing is known yet; nor is one refused here
    that is too small for a network.

    Args:
        configs: the networks.
        remedy: what to do instead, where maps do not fit.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
        ValueError: an option does not fit, or there is no such device.
    """
    different = {_without(config, _SAME_MAPS): config for config in configs}
    for config in different.values():
        require_weights(config)
        if config.size:
            side = (config.size, config.size)
            require_maps(config.encoder(), [config.mirror()], side, config.device, remedy)


def require_weights(config: ReconstructConfig) -> None:
    """Refuses networks whose weights do not fit. Raises as `require_pairs`."""
    needed = weight_bytes(config.encoder(), config.mirror())
    device = resolve_device(config.device)
    require_memory(needed, "the network", "choose a smaller `width`", device)


def require_maps(
    encoder: Description,
    decoders: Iterable[Description],
    size: Size,
    device: str,
    remedy: str = _REMEDY,
) -> None:
    """Refuses photos whose maps in a CNN or its DCNs do not fit. Raises as `require_pairs`."""
    try:
        needed = _map_bytes(encoder, decoders, size, input_sizes(encoder, *size))
    except ValueError:  # too small; said where a photo is named
        return
    what = f"a photo of {size[0]}×{size[1]} pixels"
    require_memory(needed, what, remedy, resolve_device(device))


def group_bytes(configs: Sequence[ReconstructConfig], size: Size) -> int:
    """The memory that networks which share a CNN take at the least, with the maps of one photo."""
    weights = sum(weight_bytes(config.mirror()) for config in configs)
    encoders = [config.encoder() for config in configs]
    maps = (
        _map_bytes(encoder, [config.mirror()], size, input_sizes(encoder, *size))
        for config, encoder in zip(configs, encoders, strict=True)
    )
    return weights + max(map(weight_bytes, encoders)) + max(maps)


def _map_bytes(
    encoder: Description, decoders: Iterable[Description], size: Size, sizes: Mapping[str, Size]
) -> int:
    inside = feature_size(encoder, size)
    passes = [map_bytes(encoder, size), *(map_bytes(d, inside, sizes) for d in decoders)]
    return max(*passes, _SCORING * prod(size))


def _without(config: ReconstructConfig, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(value for name, value in vars(config).items() if name not in names)
