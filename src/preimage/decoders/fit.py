"""Fitting a decoder in closed form: from option sets to the file it writes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from preimage.data.memory import refuse_skipped, squares_of
from preimage.data.photos import Photos
from preimage.data.progress import progress_bar
from preimage.data.records import environment, output_file
from preimage.decoders.encoders import as_encoder
from preimage.decoders.enough_memory import require_fit
from preimage.decoders.inverter import Inverter
from preimage.decoders.options import EncoderOptions
from preimage.decoders.ridge import fit_least_squares
from preimage.network.device import resolve_device
from preimage.network.encoder import Encoder
from preimage.network.spec import DeviceName


def fit_decoder(
    encoder: EncoderOptions | Encoder,
    data: Photos,
    out: str | Path,
    *,
    window: int = 3,
    positions: int | None = None,
    photos: int | None = None,
    size: int = 224,
    seed: int | None = None,
    device: DeviceName = "auto",
    strict: bool = False,
) -> Inverter:
    """The least-squares decoder of an encoder, written to its file.

    Args:
        encoder: options of one, or an encoder: `preimage.probing.layer_encoder` of any module, say.
        data: training photos: a source as in `DataOptions`, or photos in any form that
            `preimage.load_photos` takes.
        out: file of the decoder.
        window: side of the window of features; odd.
        positions: windows taken per photo, at random; None takes all.
        photos: use only the first this many; None uses all.
        size: photos are cropped to their centre square and resized to this side.
        seed: of the positions; that of the options if not given, or 0.
        device: `auto` is a GPU if there is one.
        strict: refuse photos that cannot be read, in place of leaving them out.

    Raises:
        ValueError: an option, the data or the file does not fit.
    """
    place, path = resolve_device(device), output_file(out)
    options = encoder if isinstance(encoder, EncoderOptions) else EncoderOptions()
    seed = options.seed if seed is None else seed
    network = as_encoder(encoder)
    network.to(place)
    require_fit(network, size, window, _batch_size(size), place)
    source = squares_of(data, size, photos)
    if strict:
        refuse_skipped(source)
    start, start_of_cores = time.perf_counter(), time.process_time()
    with progress_bar("fit", len(source)) as advance:
        decoder = fit_least_squares(
            network,
            _batches(source.pixels, _batch_size(size), place, advance),
            window=window,
            positions=positions,
            seed=seed,
        )
    card = {
        "training": {
            "data": source.fingerprint,
            "photos": len(source),
            "skipped": list(source.problems),
            "size": size,
            "seconds": round(time.perf_counter() - start, 2),
            "core_seconds": round(time.process_time() - start_of_cores, 2),
            "environment": environment(place),
        }
    }
    inverter = Inverter(network, network.origin, decoder, 1.0, card)
    inverter.save(path)
    return inverter


def _batches(
    pixels: Tensor, size: int, device: torch.device, advance: Callable[[int], object]
) -> Iterator[Tensor]:
    for part in torch.split(pixels, size):
        yield part.float().to(device)
        advance(len(part))


def _batch_size(side: int) -> int:
    """Photos per batch: as many pixels as four of 224×224, about 50 MB of Conv1's full width."""
    return max(1, 4 * 224 * 224 // side**2)
