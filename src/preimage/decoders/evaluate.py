"""How well photos come back from a layer: colour scores, feature error, baselines (Section 3)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.data.photos import Photos as AnyPhotos
from preimage.data.photos import stack_photos
from preimage.decoders.arrays import Photos, Pixels
from preimage.decoders.enough_memory import require_decoding
from preimage.decoders.inverter import Inverter
from preimage.scores.metrics import colour_scores
from preimage.scores.statistics import Interval, mean_interval

BATCH_SIZE = 16  # photos that are scored at once
METRICS = ("mse", "psnr", "ssim", "feature_error")


@dataclass(frozen=True)
class Evaluation:
    """One value per photo of each metric, by the colour scoring convention.

    `mse` in squared grey levels, `psnr` in dB, `ssim`; `feature_error` is ‖Φ(x̂) − Φ(x)‖ / ‖Φ(x)‖,
    of the clipped reconstruction x̂ and the encoder Φ up to its layer.
    """

    mse: Tensor
    psnr: Tensor
    ssim: Tensor
    feature_error: Tensor

    def interval(self, metric: str) -> Interval:
        """Mean and 95 % interval over photos; a photo reproduced exactly has no PSNR."""
        values: list[float] = getattr(self, metric).tolist()
        return mean_interval([value for value in values if isfinite(value)] or [float("inf")])

    def records(self) -> Iterator[dict[str, float | None]]:
        """One mapping per photo; an infinite PSNR is None, as in JSON."""
        for row in zip(*(getattr(self, name).tolist() for name in METRICS), strict=True):
            yield {
                name: value if isfinite(value) else None
                for name, value in zip(METRICS, row, strict=True)
            }


def evaluate(
    inverter: Inverter,
    photos: AnyPhotos,
    mean: Float[Tensor, "1 3 H W"] | None = None,
    *,
    batch_size: int = BATCH_SIZE,
) -> dict[str, Evaluation]:
    """The decoder's scores, and those of two baselines that know nothing about the network.

    Args:
        photos: all of one size, in any form that `preimage.load_photos` takes.
        mean: the mean image (1, 3, H, W) of the training photos.

    Returns:
        by name: `decoder`; `bicubic`, the photo shrunk to the layer's resolution and enlarged; and
        with `mean`, `mean image`.
    """
    if not (isinstance(photos, Tensor) and photos.ndim == 4):
        photos = stack_photos(photos, None)
    size = (photos.shape[-2], photos.shape[-1])
    count = min(batch_size, len(photos))
    require_decoding(inverter.encoder, inverter.decoder, size, count, inverter.device)
    layer = inverter.encoder.feature_size(size)
    methods: dict[str, Callable[[Photos], Photos]] = {
        "decoder": inverter,
        "bicubic": lambda x: bicubic(x, layer),
    }
    if mean is not None:
        methods["mean image"] = lambda x: mean.expand_as(x)
    parts: dict[str, list[Evaluation]] = {name: [] for name in methods}
    for start in range(0, len(photos), batch_size):
        batch = photos[start : start + batch_size].float().to(inverter.device)
        features = inverter.features(batch)
        for name, method in methods.items():
            parts[name].append(_score(inverter, batch, features, method(batch)))
    return {
        name: Evaluation(*(torch.cat([getattr(p, m) for p in found]) for m in METRICS))
        for name, found in parts.items()
    }


def _score(inverter: Inverter, photos: Photos, features: Tensor, output: Photos) -> Evaluation:
    scores = colour_scores(photos, output)
    error = (inverter.features(output.clamp(0, 255)) - features).flatten(1).norm(dim=1)
    feature_error = error / features.flatten(1).norm(dim=1)
    return Evaluation(
        *(value.double().cpu() for value in (scores.mse, scores.psnr, scores.ssim, feature_error))
    )


def bicubic(photos: Photos, size: tuple[int, int]) -> Photos:
    """Photos shrunk to `size` and enlarged again (bicubic, antialiased)."""
    small = F.interpolate(photos, size, mode="bicubic", antialias=True)
    return F.interpolate(small, photos.shape[-2:], mode="bicubic", antialias=True)


def mean_image(photos: Pixels) -> Float[Tensor, "1 3 H W"]:
    """The mean (1, 3, H, W) of photos of one size."""
    total = torch.zeros(photos.shape[1:], dtype=torch.float64)
    for chunk in torch.split(photos, 256):
        total += chunk.double().sum(0)
    return (total / len(photos)).float()[None]
