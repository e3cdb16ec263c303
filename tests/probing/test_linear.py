"""The linear rung against scikit-learn's ridge, and against what must hold exactly."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor, nn

from preimage import Alignment
from preimage.decoders.blocks import to_blocks
from preimage.probing.linear import LinearSums
from preimage.probing.linear_rung import squared_error
from preimage.probing.preprocessing import RAW
from preimage.probing.vectors import fit_vectors, picture, spectrum


@pytest.fixture
def photos(generator: torch.Generator) -> Tensor:
    """Smooth photos (N, 3, 12, 20): their pixels are correlated, as those of real ones."""
    coarse = torch.rand(30, 3, 4, 6, generator=generator, dtype=torch.float64)
    return 255 * nn.functional.interpolate(coarse, (12, 20), mode="bilinear")


@pytest.mark.parametrize("window", [1, 3])
def test_equal_to_scikit_learn(photos: Tensor, window: int, generator: torch.Generator) -> None:
    mixing = torch.randn(5, 3 * 16, generator=generator, dtype=torch.float64)
    maps = torch.einsum("cq,nqhw->nchw", mixing, to_blocks(photos, 4)).relu()
    sums = LinearSums(Alignment(4), window)
    held = [i % 5 == 1 for i in range(30)]
    for part in (slice(0, 7), slice(7, 30)):  # batches do not matter
        sums.add(maps[part], photos[part], held[part])
    decoder = sums.solve((1e-3,))
    output = decoder(maps, (12, 20))

    standard = decoder.standard(maps)
    padded = nn.functional.unfold(standard, window, padding=window // 2)  # (N, C·k·k, h·w)
    x = padded.transpose(1, 2).reshape(-1, 5 * window**2).numpy()
    y = to_blocks(photos, 4).flatten(2).transpose(1, 2).reshape(-1, 48).numpy()
    centred = x - x.mean(0)
    alpha = 1e-3 * np.mean(np.sum(centred**2, 0))
    expected = Ridge(alpha=alpha, solver="cholesky").fit(x, y).predict(x)
    expected = torch.from_numpy(expected).view(30, 3, 5, 48).permute(0, 3, 1, 2)
    torch.testing.assert_close(to_blocks(output, 4), expected, rtol=1e-8, atol=1e-6)


def test_the_ridge_is_the_one_that_does_best_on_photos_held_back(photos: Tensor) -> None:
    noise = torch.randn(30, 40, 3, 5, generator=torch.Generator().manual_seed(1))
    held = [i % 5 == 1 for i in range(30)]
    sums = LinearSums(Alignment(4))
    sums.add(noise, photos.float(), held)
    ridges = (1e-6, 1e-2, 1e2)
    assert sums.solve(ridges).ridge == 1e2  # features that tell nothing are best ignored


def test_patches_come_back(photos: Tensor) -> None:
    """An orthonormal patchify layer loses nothing: 60 dB or more."""
    orthonormal = torch.linalg.qr(torch.randn(48, 48, dtype=torch.float64))[0].float()
    maps = torch.einsum("cq,nqhw->nchw", orthonormal, to_blocks(photos.float(), 4))
    sums = LinearSums(Alignment(4))
    sums.add(maps[:20], photos[:20].float(), [i % 5 == 1 for i in range(20)])
    mse = squared_error(sums.solve()(maps[20:], (12, 20)), photos[20:].float())
    assert float(10 * torch.log10(255**2 / mse).min()) > 60


def test_mixing_channels_changes_nothing_as_the_ridge_vanishes(
    photos: Tensor, generator: torch.Generator
) -> None:
    maps = to_blocks(photos, 4)[:, ::5].contiguous()  # 10 of 48 values of each block
    mixing = torch.randn(10, 10, generator=generator, dtype=torch.float64)
    held = [i % 5 == 1 for i in range(30)]
    errors = []
    for features in (maps, torch.einsum("dc,nchw->ndhw", mixing, maps)):
        sums = LinearSums(Alignment(4))
        sums.add(features, photos, held)
        errors.append(float(squared_error(sums.solve((1e-12,))(features, (12, 20)), photos).mean()))
    assert abs(10 * np.log10(errors[0] / errors[1])) < 1e-3


def test_channels_of_any_scale_and_offset(photos: Tensor) -> None:
    """Variations of a thousandth of the mean survive single precision."""
    maps = to_blocks(photos, 4)
    plain, shifted = [], []
    for features, errors in ((maps, plain), (1000 + maps * 1e-3, shifted)):
        sums = LinearSums(Alignment(4))
        sums.add(features.float(), photos.float(), [i % 5 == 1 for i in range(30)])
        output = sums.solve((1e-4,))(features.float(), (12, 20))
        errors.append(float(squared_error(output, photos.float()).mean()))
    assert shifted[0] < plain[0] + 1.0  # grey levels²


# --- vectors -------------------------------------------------------------------------------------


def test_the_transform_keeps_energy_and_comes_back(photos: Tensor) -> None:
    coefficients = spectrum(photos, 32)  # all of them: 12 × 20
    assert coefficients.shape == (30, 3 * 12 * 20)
    torch.testing.assert_close(coefficients.square().sum(), photos.square().sum())
    torch.testing.assert_close(picture(coefficients, (12, 20), 32), photos.float())
    low = spectrum(photos, 6)
    dropped = (picture(low, (12, 20), 6).double() - photos).square().sum()
    torch.testing.assert_close(
        dropped, photos.square().sum() - low.square().sum(), rtol=1e-5, atol=1e-2
    )


@pytest.mark.parametrize("features", [5, 60])  # fewer and more than photos
def test_vectors_equal_scikit_learn(
    photos: Tensor, features: int, generator: torch.Generator
) -> None:
    y = spectrum(photos)
    mixing = torch.randn(y.shape[1], features, generator=generator, dtype=torch.float64)
    vectors = (y @ mixing).tanh()
    decoder = fit_vectors(vectors, y, [i % 5 == 1 for i in range(30)], photos.mean(0), (1e-2,))
    x = (vectors - vectors.mean(0)) / decoder.scale
    alpha = 1e-2 * float(x.square().sum() / features)
    expected = Ridge(alpha=alpha, solver="cholesky").fit(x.numpy(), y.numpy()).predict(x.numpy())
    found = y.mean(0) + decoder.coordinates(vectors) @ decoder.weight
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-8, atol=1e-6)


def test_no_ridge_beats_the_span_of_the_training_photos(
    photos: Tensor, generator: torch.Generator
) -> None:
    x = torch.randn(30, 100, generator=generator, dtype=torch.float64)
    held_back = [i % 5 == 1 for i in range(20)]
    decoder = fit_vectors(x[:20], spectrum(photos[:20]), held_back, photos[:20].mean(0))
    held = photos[20:]
    reached = (decoder(x[20:], (12, 20)) - held).square().sum((1, 2, 3))
    oracle = (decoder.oracle(held) - held).square().sum((1, 2, 3))
    assert bool((oracle <= reached + 1e-3).all())


def test_raw_preprocessing_changes_nothing(photos: Tensor) -> None:
    torch.testing.assert_close(RAW(photos), photos)
