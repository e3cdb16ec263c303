"""What the least-squares fits of a figure and the scores of its decoders take."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from preimage.data.cost import Plain
from preimage.decoders.encoders import described
from preimage.decoders.evaluate import evaluate
from preimage.decoders.inverter import Inverter
from preimage.decoders.options import DecoderOptions, EncoderOptions
from preimage.decoders.ridge import HELD_BACK, RIDGES, PhotoSums
from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.device import convolution_rate
from preimage.paper.trainings import Trainings

_TIMED = 4  # photos
_METHODS = 2  # a trained decoder and a least-squares one are scored on both sets of photos


def fits_cost(trainings: Trainings, encoders: Sequence[EncoderOptions], scored: bool) -> Plain:
    """The fits to these encoders that no file has, and the scores of their decoders.

    A few photos of each kind of encoder are timed, where many are to be fitted to or scored.
    """
    fits = [trainings.fit_file(encoder) for encoder in encoders]
    left = Counter(
        described(e) for e, path in zip(encoders, fits, strict=True) if not path.exists()
    )
    kinds = Counter(map(described, encoders))
    fitted = trainings.fitted_photos
    photos = _METHODS * 2 * trainings.preset.photos if scored else 0
    seconds = 0.0
    for kind, networks in kinds.items():
        pixels = 255 * torch.rand(_TIMED, 3, trainings.side, trainings.side)
        if left[kind] and fitted > 10 * _TIMED:
            seconds += left[kind] * (fitted / _TIMED * _fitting(kind, pixels) + _solving(kind))
        if photos > 10 * _TIMED:
            seconds += networks * photos / _TIMED * _scoring(kind, pixels)
    what = f"{sum(left.values())} least-squares fits to {fitted:,} photos"
    if scored:
        what += f", scores of {len(encoders)} networks"
    return Plain(what, seconds)


def _fitting(kind: Description, pixels: Tensor) -> float:
    network = build(kind)

    @torch.no_grad()
    def fit() -> None:
        sums = PhotoSums(network.alignment, 3, None, 0, HELD_BACK)
        sums.add(pixels, network(pixels))

    return _seconds(fit)


def _solving(kind: Description) -> float:
    """A factorisation for each ridge and one in the end, in double precision."""
    side = 9 * kind.channels[-1]
    flops = (len(RIDGES) + 1) * side**3 / 3
    return 2 * flops / convolution_rate()


def _scoring(kind: Description, pixels: Tensor) -> float:
    decoder = build(DecoderOptions().description(kind))
    inverter = Inverter(build(kind), {}, decoder)
    mean = torch.zeros(1, 3, *pixels.shape[-2:])
    return _seconds(lambda: evaluate(inverter, pixels, mean))


def _seconds(run: Callable[[], object]) -> float:
    run()  # the first time prepares much
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
