"""Pictures by frequencies: there and back, and what a photo looks like there."""

import pytest
import torch
from torch import Tensor

from preimage.probing.fourier import fourier_basis


@pytest.mark.parametrize("size", [(9, 7), (8, 12)])
def test_there_and_back(size: tuple[int, int]) -> None:
    photos = 255 * torch.rand(2, 3, *size)
    basis = fourier_basis(photos)
    coefficients = basis.coefficients(photos)
    assert coefficients.shape == (2, 3, size[0], size[1] // 2 + 1, 2)
    assert (basis.pixels(coefficients) - photos).abs().max() < 2e-2


def test_grey_photos_have_a_basis_too() -> None:
    photos = (255 * torch.rand(3, 1, 8, 8)).expand(-1, 3, -1, -1)
    basis = fourier_basis(photos)
    assert (basis.pixels(basis.coefficients(photos)) - photos).abs().max() < 5e-2


def test_photos_have_one_scale_there() -> None:
    """Of pictures with a 1/f spectrum and correlated colours, all frequencies are alike."""
    photos = _natural()
    energy = fourier_basis(photos).coefficients(photos).square().mean((0, 4))[:, 1:, 1:-1]
    ratio = energy[:, :, 8:].mean() / energy[:, :, :4].mean()
    assert 0.5 < ratio < 2
    colours = energy.mean((1, 2))
    assert colours.max() < 2 * colours.min()


def _natural() -> Tensor:
    noise = torch.randn(60, 3, 32, 32)
    rows, columns = torch.fft.fftfreq(32)[:, None], torch.fft.rfftfreq(32)[None]
    frequency = (rows.square() + columns.square()).sqrt().clamp(min=1 / 32)
    planes = torch.fft.irfft2(torch.fft.rfft2(noise) / frequency, s=(32, 32))
    mixing = torch.tensor([[1.0, 0.2, 0.0], [1.0, 0.0, 0.1], [1.0, -0.2, 0.1]])
    return torch.einsum("ij,njhw->nihw", mixing, planes)
