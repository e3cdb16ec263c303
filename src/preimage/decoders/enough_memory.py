"""Whether a fit, a training or a decoding fits in memory: asked before its first photo is read."""

from math import prod

import torch

from preimage.data.free_memory import require_memory
from preimage.decoders.machine import photos_at_once
from preimage.decoders.options import MachineOptions
from preimage.decoders.recipes import Recipe
from preimage.network.description import Description
from preimage.network.device import resolve_device
from preimage.network.encoder import Encoder
from preimage.network.footprint import encoder_bytes, map_bytes, training_bytes, window_bytes
from preimage.network.trace import Size

_FLOAT = 4  # bytes
_SCORED_AT_ONCE = 5  # photos; of each there are six pictures, besides four of all in the batch


def require_fit(
    encoder: Encoder, size: int, window: int, photos: int, device: torch.device
) -> None:
    """Refuses a fit that does not fit in memory.

    Args:
        photos: of a batch.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
    """
    maps = encoder_bytes(encoder, (size, size), photos=photos)
    require_memory(maps, f"`size` {size}", "give a smaller `size` or `width`", device)
    stride = encoder.alignment.stride
    positions = photos * (size // stride + window) ** 2
    sums = window_bytes(encoder.out_channels, stride, window, positions)
    what = f"`window` {window} over {encoder.out_channels} channels"
    require_memory(sums, what, "give a smaller `window`, or a layer with fewer channels", device)


def require_training(
    encoder: Encoder | None, trained: Description, recipe: Recipe, machine: MachineOptions
) -> None:
    """Refuses a training whose steps do not fit in memory.

    Args:
        encoder: in front of what is trained; None where an encoder is.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
        ValueError: the crops are too small for the networks.
    """
    device, photos = resolve_device(machine.device), photos_at_once(recipe, machine)
    side: Size = (recipe.crop, recipe.crop)
    what = f"a step of {photos} photos of `crop` {recipe.crop}"
    remedy = "give a smaller `crop` or `batch_size`, or a larger `accumulate`"
    if encoder is None:
        needed = training_bytes(trained, side, photos=photos)
    else:
        # Before the sizes are asked for: a module's layer runs to tell them.
        require_memory(encoder_bytes(encoder, side, photos=photos), what, remedy, device)
        sizes = encoder.input_sizes(side)
        needed = training_bytes(trained, encoder.feature_size(side), sizes, photos=photos)
    require_memory(needed, what, remedy, device)
    if recipe.resize:
        # In each process that reads photos, one as Pillow and one as an array has it.
        pixels = max(machine.workers or 1, 1) * recipe.resize**2
        what = f"a photo of `resize` {recipe.resize}, in each process that reads some,"
        require_memory((4 + 3) * pixels, what, "give a smaller `resize`, or fewer `workers`")


def require_decoding(
    encoder: Encoder, decoder: object, size: Size, photos: int, device: torch.device
) -> None:
    """Refuses photos that are too large to be decoded and scored, so many at once.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
    """
    what, remedy = f"{_count(photos)} of {size[0]}×{size[1]} pixels", "give a smaller `size`"
    scored = _FLOAT * 3 * prod(size) * (4 * photos + 6 * min(photos, _SCORED_AT_ONCE))
    needed = max(encoder_bytes(encoder, size, photos=photos), scored)
    require_memory(needed, what, remedy, device)
    require_decoder(encoder, decoder, size, photos, device)


def require_decoder(
    encoder: Encoder, decoder: object, size: Size, photos: int, device: torch.device
) -> None:
    """The same for the decoder alone, where features are given and not photos."""
    description = getattr(decoder, "description", None)
    if isinstance(description, Description):
        inside, sizes = encoder.feature_size(size), encoder.input_sizes(size)
        needed = map_bytes(description, inside, sizes, photos=photos)
    else:
        needed = _FLOAT * 3 * photos * prod(size)
    what = f"{_count(photos)} of {size[0]}×{size[1]} pixels"
    require_memory(needed, what, "give a smaller `size`", device)


def _count(photos: int) -> str:
    return "a photo" if photos == 1 else f"a batch of {photos} photos"
