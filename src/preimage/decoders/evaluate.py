"""How well photos come back from a layer: colour scores, feature error, baselines (Section 3)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.data.decoding import PhotoSize
from preimage.data.photos import Photos as AnyPhotos
from preimage.data.photos import stack_photos
from preimage.decoders.arrays import Photos, Pixels
from preimage.decoders.enough_memory import require_decoding
from preimage.decoders.inverter import Inverter
from preimage.notebook.frames import frame
from preimage.notebook.view import Drawn
from preimage.scores.metrics import colour_scores
from preimage.scores.statistics import Interval, mean_interval

BATCH_SIZE = 16  # photos that are scored at once
METRICS = ("mse", "psnr", "ssim", "feature_error")


@dataclass(frozen=True, repr=False)
class Evaluation(Drawn):
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

    def __repr__(self) -> str:
        return f"Evaluation({len(self.mse)} photos: {self.in_words()})"

    def in_words(self) -> str:
        """PSNR and SSIM with their intervals."""
        return f"PSNR {self.interval('psnr'):.2f} dB, SSIM {self.interval('ssim'):.3f}"

    def _rows(self) -> list[dict[str, Any]]:
        return [{"photo": number, **record} for number, record in enumerate(self.records())]

    def _draw(self, ax: Any) -> None:
        from preimage.notebook.figures import draw_points

        draw_points(ax, {"": self.psnr.tolist()})
        ax.set(ylabel="PSNR (dB) per photo")

    def records(self) -> Iterator[dict[str, float | None]]:
        """One mapping per photo; an infinite PSNR is None, as in JSON."""
        for row in zip(*(getattr(self, name).tolist() for name in METRICS), strict=True):
            yield {
                name: value if isfinite(value) else None
                for name, value in zip(METRICS, row, strict=True)
            }


class Evaluations(dict[str, Evaluation], Drawn):
    """Evaluations by name: a notebook shows their means with 95 % intervals over photos."""

    def __repr__(self) -> str:
        each = (f"{name}: {one.in_words()}" for name, one in self.items())
        return f"Evaluations({'; '.join(each)})"

    def _rows(self) -> list[dict[str, Any]]:
        formats = {"mse": ".1f", "psnr": ".2f", "ssim": ".3f", "feature_error": ".3f"}
        return [
            {"method": name, **{m: format(one.interval(m), spec) for m, spec in formats.items()}}
            for name, one in self.items()
        ]

    def to_frame(self) -> Any:
        """One row per method and photo, as a pandas data frame."""
        return frame({"method": name, **row} for name, one in self.items() for row in one._rows())

    def _draw(self, ax: Any) -> None:
        from preimage.notebook.figures import draw_points

        draw_points(ax, {name: one.psnr.tolist() for name, one in self.items()})
        ax.set(ylabel="PSNR (dB) per photo")


def evaluate(
    inverter: Inverter,
    photos: AnyPhotos,
    mean: Float[Tensor, "1 3 H W"] | None = None,
    *,
    batch_size: int = BATCH_SIZE,
    size: PhotoSize | None = None,
) -> Evaluations:
    """The decoder's scores, and those of two baselines that know nothing about the network.

    Args:
        photos: all of one size, in any form that `preimage.load_photos` takes.
        mean: the mean image (1, 3, H, W) of the training photos.
        size: the central square of files is resized to this side; None keeps them as they are.

    Returns:
        by name: `decoder`; `bicubic`, the photo shrunk to the layer's resolution and enlarged; and
        with `mean`, `mean image`.
    """
    if not (isinstance(photos, Tensor) and photos.ndim == 4):
        photos = stack_photos(photos, size)
    shape = (photos.shape[-2], photos.shape[-1])
    count = min(batch_size, len(photos))
    require_decoding(inverter.encoder, inverter.decoder, shape, count, inverter.device)
    layer = inverter.encoder.feature_size(shape)
    methods: dict[str, Callable[[Photos], Photos]] = {
        "decoder": inverter,
        "bicubic": lambda x: bicubic(x, layer),
    }
    if mean is not None:
        methods["mean image"] = lambda x: mean.expand_as(x)
    parts: dict[str, list[Evaluation]] = {name: [] for name in methods}
    for start in range(0, len(photos), batch_size):
        batch = photos[start : start + batch_size].float().cpu()
        features = inverter.features(batch)
        for name, method in methods.items():
            parts[name].append(_score(inverter, batch, features, method(batch).cpu()))
    return Evaluations(
        (name, Evaluation(*(torch.cat([getattr(p, m) for p in found]) for m in METRICS)))
        for name, found in parts.items()
    )


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
