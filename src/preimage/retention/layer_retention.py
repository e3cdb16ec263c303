"""One layer's retention: its errors, and a row of the table."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from preimage.network.trace import Alignment
from preimage.retention.kernel_ridge import Fit
from preimage.retention.nystroem import Landmarks
from preimage.scores.statistics import Interval, mean_interval


def decibels(mse: float) -> float:
    """PSNR of a mean squared error of pixels in [0, 255]."""
    return 10 * math.log10(255**2 / mse) if mse else math.inf


_PER_SHARE = 10 / math.log(10)  # dB per relative error


@dataclass(frozen=True)
class LayerRetention:
    """One layer: the error of the best linear decoder of its features at infinite width.

    Errors are per pixel value on held-out photos, in grey levels², not clipped. `photo_mse` has
    them photo by photo; `mean_mse` is that of the training positions' mean block; `drawn_mse`
    one per draw where layers before a max or l2 pool are drawn; `landmarks` what the Nyström
    approximation costs, None where all positions are paired with all; `network_mse` is that of
    the features of a network that was given. `learning` has the PSNR with fewer training
    photos, (positions, dB): where it still rises, so would `psnr` with more. `curve` has what
    networks of finite width are expected to reach, (channels, dB): proved under conditions for
    one convolution, a conjecture for more (docs/retention.md).
    """

    layer: str
    alignment: Alignment
    positions: tuple[int, int]
    fit: Fit
    photo_mse: tuple[float, ...]
    mean_mse: float
    drawn_mse: tuple[float, ...]
    landmarks: Landmarks | None
    network_mse: float | None
    learning: tuple[tuple[int, float], ...]
    curve: tuple[tuple[int, float], ...]
    originals: Float[Tensor, "T D h w"]
    reconstructions: Float[Tensor, "T D h w"]
    seconds: float

    @property
    def mse(self) -> float:
        """Mean squared error per pixel value, over the draws if there are any."""
        return mean_interval(self.drawn_mse).mean if self.drawn_mse else self.fit.mse

    @property
    def psnr(self) -> Interval:
        """PSNR of the mean error, dB; its interval over held-out photos, to first order."""
        error = mean_interval(self.photo_mse)
        return Interval(decibels(self.mse), _PER_SHARE * error.stderr / error.mean, error.n)

    @property
    def over_draws(self) -> Interval | None:
        """The same over draws; None where nothing is drawn."""
        if not self.drawn_mse:
            return None
        error = mean_interval(self.drawn_mse)
        return Interval(decibels(error.mean), _PER_SHARE * error.stderr / error.mean, error.n)

    @property
    def retained(self) -> float:
        """The share of the variance about the mean block that comes back."""
        return 1 - self.mse / self.mean_mse

    def row(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "layer": self.layer,
            "stride": self.alignment.stride,
            "positions": list(self.positions),
            "mse": self.mse,
            "psnr": self.psnr.mean,
            "psnr_half_width": _finite(self.psnr.half_width),
            "retained": self.retained,
            "mean_mse": self.mean_mse,
            "ridge": self.fit.ridge,
            "ridges": list(self.fit.ridges),
            "held_back_mse": list(self.fit.held_back_mse),
            "photo_mse": list(self.photo_mse),
            "drawn_mse": list(self.drawn_mse),
            "landmarks": None if self.landmarks is None else asdict(self.landmarks),
            "network_mse": self.network_mse,
            "learning": [list(point) for point in self.learning],
            "curve": [list(point) for point in self.curve],
            "seconds": round(self.seconds, 1),
        }


def retention_table(
    layers: Sequence[LayerRetention],
) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: PSNR ± 95 % over photos, and what fewer positions or channels reach."""
    widths = [width for width, _ in layers[0].curve] if layers else []
    heading = ["layer", "pixels apart", "positions", "PSNR, dB", "retained, %", "ridge"]
    own = any(layer.network_mse is not None for layer in layers)
    spans = any(layer.landmarks for layer in layers)
    heading += ["landmarks", "outside, %", "with half"] if spans else []
    heading += ["this network"] if own else []
    heading += ["half the positions", *(f"{width} channels" for width in widths)]
    rows = []
    for layer in layers:
        half = f"{layer.learning[-1][1]:.2f}" if layer.learning else "–"
        rows.append(
            [
                layer.layer,
                str(layer.alignment.stride),
                f"{layer.positions[0]:,}",
                f"{layer.psnr:.2f}",
                f"{100 * layer.retained:.1f}",
                f"{layer.fit.ridge:.0e}",
                *_landmark_cells(layer.landmarks),
                *([] if layer.network_mse is None else [f"{decibels(layer.network_mse):.2f}"]),
                half,
                *(f"{psnr:.2f}" for _, psnr in layer.curve),
            ]
        )
    return heading, rows


def _landmark_cells(found: Landmarks | None) -> list[str]:
    """Their number, the share that lies outside their span, the PSNR with half of them."""
    if found is None:
        return []
    return [f"{found.count:,}", f"{100 * found.outside:.2g}", f"{decibels(found.fewer[1]):.2f}"]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
