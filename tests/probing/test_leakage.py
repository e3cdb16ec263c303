"""Leakage curves against decoders fitted anew to features that are really spoilt."""

import json
from itertools import pairwise
from math import inf, log10

import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from preimage import Alignment
from preimage.decoders.blocks import to_blocks
from preimage.probing.leakage import LeakageCurve, leakage_curve
from preimage.probing.leakage_sums import MapSums, leakage_sums
from preimage.probing.linear import LinearDecoder, LinearSums
from preimage.probing.packing import pack, unpack
from preimage.probing.vectors import VectorDecoder, fit_vectors, spectrum

SIZE = (12, 20)
SNR = (40, 20, 10, 5, 0, -10)  # dB


@pytest.fixture(scope="module")
def photos() -> Tensor:
    """Photos (120, 3, 12, 20), whose pixels are correlated; the last 40 are held out."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(120, 3, 4, 6, generator=generator, dtype=torch.float64)
    fine = torch.rand(120, 3, *SIZE, generator=generator, dtype=torch.float64)
    return 200 * nn.functional.interpolate(coarse, SIZE, mode="bilinear") + 55 * fine


@pytest.fixture(scope="module")
def maps(photos: Tensor) -> Tensor:
    """Fourteen rectified channels (120, 14, 3, 5), one of them constant."""
    generator = torch.Generator().manual_seed(1)
    mixing = torch.randn(14, 48, generator=generator, dtype=torch.float64)
    maps = torch.einsum("cq,nqhw->nchw", mixing, to_blocks(photos - 127, 4)).relu()
    maps[:, 3] = 2.0
    return maps


def fit(maps: Tensor, photos: Tensor, window: int = 1) -> LinearDecoder:
    sums = LinearSums(Alignment(4), window)
    sums.add(maps[:80], photos[:80], [i % 5 == 1 for i in range(80)])
    return sums.solve((1e-9,))


def error(decoder: LinearDecoder | VectorDecoder, features: Tensor, photos: Tensor) -> float:
    """Mean squared error on held-out photos, not clipped."""
    return float((decoder(features[80:], SIZE) - photos[80:]).square().mean())


def curve_of(decoder: LinearDecoder | VectorDecoder, features: Tensor, photos: Tensor):
    sums = leakage_sums(decoder, photos[:80])
    for part in (slice(80, 97), slice(97, 120)):  # batches do not matter
        sums.add(features[part], photos[part])
    return sums.curve()


def decibels(one: float, other: float) -> float:
    return abs(10 * log10(one / other))


@pytest.mark.parametrize("window", [1, 3])
def test_noise_equals_refits_on_noisy_features(
    photos: Tensor, maps: Tensor, window: int, generator: torch.Generator
) -> None:
    decoder = fit(maps, photos, window)
    points = {p.level: p for p in curve_of(decoder, maps, photos).series["noise"]}
    assert decibels(points[inf].mse, error(decoder, maps, photos)) < 1e-4
    std = maps[:80].movedim(1, 0).flatten(1).std(1)[:, None, None]
    # Twenty noisy copies of each photo: the formula is the mean over all noise.
    copied, pictures = maps.repeat_interleave(20, 0), photos.repeat_interleave(20, 0)
    for snr in SNR if window == 1 else SNR[1::2]:
        noise = torch.randn(copied.shape, generator=generator, dtype=torch.float64)
        noisy = copied + noise * std * 10 ** (-snr / 20)
        sums = LinearSums(Alignment(4), window)
        sums.add(noisy[:1600], pictures[:1600], [i % 5 == 1 for i in range(1600)])
        refit = sums.solve((1e-9,))
        reached = float((refit(noisy[1600:], SIZE) - pictures[1600:]).square().mean())
        assert decibels(points[snr].mse, reached) < 0.05


def test_the_error_in_sample_is_the_formula(photos: Tensor, maps: Tensor) -> None:
    decoder = fit(maps[:, [0, 1, 2, 5]], photos)
    equations = decoder.equations
    n, mean = equations.count, equations.sum_x / equations.count
    gram = equations.gram - n * torch.outer(mean, mean)
    unit = (gram.diagonal() / n).sqrt()
    values, vectors = torch.linalg.eigh(gram / torch.outer(unit, unit))
    cross = equations.cross - torch.outer(mean, equations.sum_y)
    told = (vectors.T @ (cross / unit[:, None])).square().sum(1)
    total = equations.sum_yy - float(equations.sum_y.square().sum()) / n
    points = curve_of(decoder, maps[:, [0, 1, 2, 5]], photos).series["noise"]
    for point in points:
        noise = 10 ** (-point.level / 10)
        expected = (total - float((told / (values + n * noise)).sum())) / (48 * n)
        assert point.mse_in_sample == pytest.approx(expected, rel=1e-6)
    assert points[0].mse > points[0].mse_in_sample


def test_fewer_components_and_channels_equal_refits(photos: Tensor, maps: Tensor) -> None:
    decoder = fit(maps, photos)
    series = curve_of(decoder, maps, photos).series
    standard = standardised(maps)
    rows = standard[:80].movedim(1, 0).flatten(1)
    basis = torch.linalg.eigh(rows @ rows.T).eigenvectors.flip(1)
    for point in series["components"][1:-1]:
        kept = torch.einsum("cr,nchw->nrhw", basis[:, : int(point.level)], standard)
        assert decibels(point.mse, error(fit(kept, photos), kept, photos)) < 1e-3
    # Twelve of thirteen channels: the one left out is the one that is missed least.
    (point,) = (p for p in series["channels"] if p.level == 10)
    by_hand = []
    for first in range(14):
        for second in range(first):
            rest = [c for c in range(14) if c not in (3, first, second)]
            if first != 3 and second != 3 and len(rest) == 11:
                by_hand.append(error(fit(maps[:, rest], photos), maps[:, rest], photos))
    assert min(by_hand) * 0.98 < point.mse
    worst = {p.level: p.mse for p in series["channels, most telling removed first"]}
    assert all(p.mse <= worst[p.level] * 1.001 for p in series["channels"])


@pytest.mark.parametrize("window", [1, 3])
def test_channels_left_out_are_refit(photos: Tensor, maps: Tensor, window: int) -> None:
    """Three of four channels: the best triple is found, and its error is that of a fit to it."""
    few = maps[:, [0, 1, 2, 5]]
    points = curve_of(fit(few, photos, window), few, photos).series["channels"]
    triples = [[c for c in range(4) if c != left] for left in range(4)]
    errors = [error(fit(few[:, t], photos, window), few[:, t], photos) for t in triples]
    assert decibels(points[1].mse, min(errors)) < 1e-3


def test_quantised_features_equal_refits(
    photos: Tensor, maps: Tensor, generator: torch.Generator
) -> None:
    points = curve_of(fit(maps, photos), maps, photos).series["quantised"]
    (point,) = (p for p in points if p.level == 1.0)
    std = maps[:80].movedim(1, 0).flatten(1).std(1, correction=0)[:, None, None].clamp(min=1e-9)
    copied, pictures = maps.repeat_interleave(20, 0) / std, photos.repeat_interleave(20, 0)
    dither = torch.rand(copied.shape, generator=generator, dtype=torch.float64) - 0.5
    rounded = (copied + dither).round() - dither
    sums = LinearSums(Alignment(4), 1)
    sums.add(rounded[:1600], pictures[:1600], [i % 5 == 1 for i in range(1600)])
    reached = sums.solve((1e-9,))(rounded[1600:], SIZE) - pictures[1600:]
    assert decibels(point.mse, float(reached.square().mean())) < 0.05
    assert point.bits_per_pixel is not None
    # The entropy of the integers given the dither is below the bound that is stated.
    entropies = []
    for channel in (0, 1, 2):
        values = copied[:, channel]
        bins = ((values[..., None] + torch.linspace(-0.5, 0.45, 20).double()).round() + 500).long()
        counts = torch.stack([torch.bincount(b.flatten(), minlength=1000) for b in bins.unbind(-1)])
        shares = counts.double() / counts.sum(1, keepdim=True)
        entropies.append(
            float(torch.special.entr(shares).sum(1).mean() / torch.log(torch.tensor(2.0)))
        )
    assert max(entropies) < point.bits_per_pixel * 16 / 14


def test_coded_components_equal_refits(
    photos: Tensor, maps: Tensor, generator: torch.Generator
) -> None:
    """Reverse water-filling: a component of variance v has noise v t / (v - t), or is left out."""
    series = curve_of(fit(maps, photos), maps, photos).series
    rows = standardised(maps)[:80].movedim(1, 0).flatten(1)
    values, vectors = torch.linalg.eigh(rows @ rows.T / rows.shape[1])
    components = torch.einsum("cr,nchw->nrhw", vectors, standardised(maps))
    copied, pictures = components.repeat_interleave(20, 0), photos.repeat_interleave(20, 0)
    for point in series["coded"][7::3]:
        bits = point.level
        level = water_level(values, bits)
        over = values > level
        spread = (values * level / (values - level))[over].sqrt()[:, None, None]
        noise = torch.randn(copied[:, over].shape, generator=generator, dtype=torch.float64)
        noisy = copied[:, over] + noise * spread
        sums = LinearSums(Alignment(4))
        sums.add(noisy[:1600], pictures[:1600], [i % 5 == 1 for i in range(1600)])
        reached = sums.solve((1e-9,))(noisy[1600:], SIZE) - pictures[1600:]
        assert decibels(point.mse, float(reached.square().mean())) < 0.05
        assert point.bits_per_pixel == pytest.approx(bits / 16)
    assert all(a.mse <= b.mse for a, b in pairwise(series["coded"]))


def standardised(maps: Tensor) -> Tensor:
    std = maps[:80].std((0, 2, 3), correction=0).clamp(min=1e-9)[:, None, None]
    return (maps - maps[:80].mean((0, 2, 3))[:, None, None]) / std


def water_level(values: Tensor, bits: float) -> float:
    """The level at which components take so many bits, by bisection."""
    low, high = 1e-12, float(values.max())
    for _ in range(100):
        level = (low * high) ** 0.5
        spent = 0.5 * float((values / level).log2().clamp(min=0).sum())
        low, high = (level, high) if spent > bits else (low, level)
    return level


@pytest.mark.parametrize("features", [9, 200])  # fewer and more than photos
def test_vectors(photos: Tensor, features: int, generator: torch.Generator) -> None:
    mixing = torch.randn(720, features, generator=generator, dtype=torch.float64)
    vectors = (photos.flatten(1) @ mixing * 1e-3).tanh()
    held_back = [i % 5 == 1 for i in range(80)]
    mean, y = photos[:80].mean(0), spectrum(photos)
    decoder = fit_vectors(vectors[:80], y[:80], held_back, mean, (1e-3,))
    curve = curve_of(decoder, vectors, photos)
    points = {p.level: p for p in curve.series["noise"]}
    assert decibels(points[inf].mse, error(decoder, vectors, photos)) < 1e-4
    assert ("channels" in curve.series) == (features < 80)
    std = vectors[:80].std(0, correction=0)
    x = (vectors - vectors[:80].mean(0)) / std
    for snr in (20, 0):  # the best weights written down, and the error that noise makes with them
        noise = 10 ** (-snr / 10)
        gram = x[:80].T @ x[:80] + 80 * (noise + 1e-3) * torch.eye(features, dtype=torch.float64)
        weight = torch.linalg.solve(gram, x[:80].T @ (y[:80] - y[:80].mean(0)))
        left = (y[80:] - y[:80].mean(0) - x[80:] @ weight).square().sum() / 40
        expected = float(left + noise * weight.square().sum()) / 720
        assert points[snr].mse == pytest.approx(expected, rel=1e-6)


def test_a_curve_is_plain_data_and_draws_itself(photos: Tensor, maps: Tensor) -> None:
    decoder = fit(maps, photos)
    curve = curve_of(decoder, maps, photos)
    plain, tensors = pack(curve)
    assert unpack(LeakageCurve, json.loads(json.dumps(plain)), tensors) == curve
    row = curve.rows()[0]
    assert row["series"] == "noise"
    assert row["psnr"] == pytest.approx(10 * log10(255**2 / row["mse"]))
    axes = Figure().subplots()
    for series in curve.series:
        curve.plot(axes, series)
    assert len(axes.lines) == len(curve.series)


def test_positions_beyond_the_first_batch(photos: Tensor, maps: Tensor) -> None:
    """A curve from half of the positions lies near that from all."""
    decoder = fit(maps, photos)
    whole = MapSums(decoder)
    some = MapSums(decoder, positions=10)
    for sums in (whole, some):
        sums.add(maps[80:], photos[80:])
    one, other = (leakage_curve(sums.moments, 1 / 16).series["noise"][0] for sums in (whole, some))
    assert decibels(one.mse, other.mse) < 0.3
