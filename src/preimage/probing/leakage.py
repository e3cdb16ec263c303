"""The leakage curve: how well a layer's photos can be read when its features are spoilt.

A device runs the first layers of a network and sends the features of one to a server. What can the
server see of the photo if they arrive with noise, in few bits, or in part? For the best linear
decoder the answer follows from sums that the probe has anyway (`preimage.probing.moments`): with
e_i the eigenvalues of the centred Gram matrix of n training positions and a_i the cross moments of
its eigenvectors, white noise of variance σ² on every feature leaves the error

    E‖y‖² − (1/n) Σ_i ‖a_i‖² / (e_i + nσ²)

A linear attack is the weakest one: an attacker with a nonlinear decoder sees at least as much, so
that the curve bounds leakage from below. A layer is not safe because its curve is low.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import e, inf, log2, log10, pi
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from preimage.notebook.view import Shown, draw_on
from preimage.probing.moments import Errors, Moments

_SNR = (inf, *range(50, -25, -5))  # dB
_STEPS = tuple(2.0**-power for power in range(-2, 9))  # of a quantiser, in standard deviations
_SHELLS = 14  # water levels, each a quarter of the one before


@dataclass(frozen=True)
class LeakagePoint:
    """What is left of the picture at one level.

    Args:
        level: what the curve runs over (`LeakageCurve`).
        mse: of held-out photos, the headline: squared grey levels per pixel value, not clipped.
        mse_in_sample: of the photos that the decoder was fitted to.
        bits_per_pixel: what sending the features takes; None where that is not limited.
    """

    level: float
    mse: float
    mse_in_sample: float
    bits_per_pixel: float | None = None

    @property
    def psnr(self) -> float:
        """Of the held-out error, in dB: of its mean over photos, not the mean of their PSNR."""
        return 10 * log10(255**2 / max(self.mse, 0.01))


@dataclass(frozen=True, repr=False)
class LeakageCurve(Shown):
    """PSNR of the best linear decoder over how much of the features is sent.

    `series` maps each way of sending less to its points, the most faithful first:

    - `noise`: white noise; the level is the signal-to-noise ratio of a channel in dB, −20 log₁₀ σ
      for noise of σ standard deviations of that channel.
    - `quantised`: each feature alone, rounded to multiples of a step with subtractive dither; the
      level is the step Δ in standard deviations. The noise is white and uniform, Δ²/12; an entropy
      code takes at most ½ log₂(2πe (1/Δ² + 1/12)) bits per feature, whatever its distribution
      (Zamir & Feder 1992).
    - `coded`: principal components of a position at the rates of reverse water-filling, the least
      for the error of Gaussian features; the level is the bits per position.
    - `components`: the first principal components; the level is their number.
    - `channels`: only so many channels, the least telling removed first: at each step those whose
      removal alone would raise the training error least. `channels, most telling removed first` is
      the contrary. The decoder is fitted anew to the rest.

    The headline is the error on held-out photos: an attacker reads photos that the decoder has not
    seen, and with many features per photo the error on its own photos tends to zero, whatever the
    features are. Both are exact, given the sums.
    """

    series: Mapping[str, list[LeakagePoint]]

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per point."""
        return [
            {"series": name, **asdict(point), "psnr": point.psnr}
            for name, points in self.series.items()
            for point in points
        ]

    def _rows(self) -> list[dict[str, Any]]:
        return self.rows()

    def plot(self, ax: Any = None, series: str = "noise", **style: Any) -> Any:
        """Draws a series: PSNR over SNR, over bits per pixel, or over what is kept.

        Args:
            ax: the Axes to draw on; a new Figure if not given. What was drawn on is returned.
            style: of the line, as matplotlib takes it.
        """
        return draw_on(ax, lambda ax: self._draw_series(ax, series, style))

    def _draw_series(self, ax: Any, series: str, style: Mapping[str, Any]) -> None:
        points = [p for p in self.series.get(series, []) if p.level != inf]
        coded = series in ("quantised", "coded")
        xs = [p.bits_per_pixel if coded else p.level for p in points]
        ax.plot(xs, [p.psnr for p in points], **{"marker": ".", "label": series, **style})
        labels = {
            "noise": "signal-to-noise ratio of the features (dB)",
            "quantised": "bits per pixel",
            "coded": "bits per pixel",
            "components": "principal components kept",
        }
        ax.set(xlabel=labels.get(series, "channels kept"), ylabel="PSNR (dB)")
        if series != "noise":
            ax.set_xscale("log", base=2)


def leakage_curve(
    moments: Moments,
    positions_per_pixel: float,
    prune: bool = True,
    features_per_position: int | None = None,
) -> LeakageCurve:
    """Every series that these moments allow.

    Args:
        positions_per_pixel: 1/s² for a stride of s.
        prune: whether the moments' features are channels, which can be left out.
        features_per_position: where the moments are of fewer coordinates of them.
    """
    features = (features_per_position or moments.channels) * positions_per_pixel
    series = {
        "noise": list(_noise(moments)),
        "quantised": list(_quantised(moments, features)),
        "coded": list(_coded(moments, positions_per_pixel)),
        "components": list(_components(moments)),
    }
    if prune:
        series["channels"] = list(_pruned(moments, most_telling=False))
        series["channels, most telling removed first"] = list(_pruned(moments, most_telling=True))
    return LeakageCurve(series)


def _point(level: float, errors: Errors, bits: float | None = None) -> LeakagePoint:
    return LeakagePoint(level, errors.held_out, errors.in_sample, bits)


def _noise(moments: Moments) -> Iterator[LeakagePoint]:
    for snr in _SNR:
        yield _point(float(snr), moments.spectrum.best(10 ** (-snr / 10)))


def _quantised(moments: Moments, features_per_pixel: float) -> Iterator[LeakagePoint]:
    for step in reversed(_STEPS):
        bits = 0.5 * log2(2 * pi * e * (1 / step**2 + 1 / 12))
        yield _point(step, moments.spectrum.best(step**2 / 12), bits * features_per_pixel)


def _coded(moments: Moments, positions_per_pixel: float) -> Iterator[LeakagePoint]:
    """A component of variance ν coded with distortion θ is one with noise νθ/(ν − θ)."""
    components, values = _channel_components(moments)
    kept = torch.arange(len(values))
    for shell in reversed(range(_SHELLS)):
        level = float(values[0]) * 4.0 ** -(shell + 0.5)
        active = values > level
        bits = 0.5 * float((values[active] / level).log2().sum())
        over = values[active]
        noise = over * level / (over - level)
        errors = _errors(components, moments, kept[active], noise)
        yield _point(bits, errors, bits * positions_per_pixel)


def _components(moments: Moments) -> Iterator[LeakagePoint]:
    components, values = _channel_components(moments)
    for count in _counts(len(values)):
        kept = torch.arange(count)
        errors = _errors(components, moments, kept, torch.zeros(count, dtype=torch.float64))
        yield _point(float(count), errors)


def _channel_components(moments: Moments) -> tuple[Moments | None, Float[Tensor, " C"]]:
    """Moments of the principal components of a position's channels, and their variances.

    None in place of the moments where the window is one position: `Spectrum` has them.
    """
    if moments.window == 1:
        return None, moments.spectrum.values
    places = moments.window**2
    middle = slice(places // 2 * moments.channels, (places // 2 + 1) * moments.channels)
    values, vectors = torch.linalg.eigh(moments.features[middle, middle])
    mixing = torch.kron(torch.eye(places, dtype=vectors.dtype), vectors.flip(1).contiguous())
    return moments.mixed(mixing), values.flip(0).clamp(min=0)


def _errors(
    components: Moments | None,
    moments: Moments,
    kept: Int64[Tensor, " c"],
    noise: Float[Tensor, " c"],
) -> Errors:
    """With these components of each position, and noise on them."""
    if components is not None:
        return components.refit(*_everywhere(components, kept, noise))[0]
    spectrum = moments.spectrum
    gains, spread = torch.zeros_like(spectrum.values), torch.zeros_like(spectrum.values)
    gains[kept] = 1 / (spectrum.values[kept] + noise + spectrum.penalty)
    spread[kept] = noise
    return spectrum.errors(gains, spread)


def _everywhere(
    moments: Moments, kept: Int64[Tensor, " c"], noise: Float[Tensor, " c"]
) -> tuple[Int64[Tensor, " p"], Float[Tensor, " p"]]:
    """These channels at every place of the window."""
    places = torch.arange(moments.window**2)
    indices = places[:, None] * moments.channels + kept
    return indices.flatten(), noise.repeat(len(places))


def _pruned(moments: Moments, most_telling: bool) -> Iterator[LeakagePoint]:
    kept = torch.arange(moments.channels)
    cost = torch.zeros(moments.channels, dtype=torch.float64)
    for count in _counts(moments.channels, halvings=2):
        order = cost.argsort(descending=not most_telling, stable=True)
        kept = kept[order[:count].sort().values]
        noise = torch.zeros(count, dtype=torch.float64)
        errors, inverse, weights = moments.refit(*_everywhere(moments, kept, noise))
        cost = _removal_costs(inverse, weights, count)
        yield _point(float(count), errors)


def _removal_costs(
    inverse: Float[Tensor, "p p"], weights: Float[Tensor, "p p"], channels: int
) -> Float[Tensor, " c"]:
    """By how much the penalised training error rises if one channel is left out, the rest refit.

    tr(S_gg⁻¹ (W Wᵀ)_gg), g the channel at all places of the window.
    """
    places = len(inverse) // channels
    index = torch.arange(places) * channels + torch.arange(channels)[:, None]  # (c, places)
    blocks, own = (m[index[:, :, None], index[:, None, :]] for m in (inverse, weights))
    costs: Tensor = torch.linalg.solve(blocks, own).diagonal(dim1=1, dim2=2).sum(1)
    return costs


def _counts(most: int, halvings: int = 1) -> list[int]:
    """From `most` down to 1, each half of the one before, or a root of a half."""
    counts, exact = [most], float(most)
    while counts[-1] > 1:
        exact /= 2 ** (1 / halvings)
        if (count := max(round(exact), 1)) < counts[-1]:
            counts.append(count)
    return counts
