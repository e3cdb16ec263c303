"""Pictures by their frequencies and colours, each brought to the scale that photos have there.

Photos have amplitudes near 1/f, and channels that are nearly copies of one another. A descent on
pixels sees low, grey frequencies and hardly anything else; in this basis it sees them all alike.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Pixels = Float[Tensor, "N 3 H W"]
Coefficients = Float[Tensor, "N 3 H K 2"]


@dataclass(frozen=True)
class FourierBasis:
    """x = mixing · F⁻¹(a · z), a = 1/f: pixels from the real and imaginary parts of a spectrum z.

    Args:
        mixing: from decorrelated to RGB values: the square root of their covariance.
        amplitude: 1 / the frequency in cycles per pixel, of the lowest one at zero.
        size: (height, width).
    """

    mixing: Float[Tensor, "3 3"]
    amplitude: Float[Tensor, "H K"]
    size: tuple[int, int]

    def pixels(self, coefficients: Coefficients) -> Pixels:
        """The pictures of these coefficients."""
        spectrum = torch.view_as_complex(coefficients) * self.amplitude
        planes = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        return torch.einsum("ij,njhw->nihw", self.mixing, planes)

    def coefficients(self, pixels: Pixels) -> Coefficients:
        """The coefficients of these pictures."""
        planes = torch.einsum("ij,njhw->nihw", torch.linalg.inv(self.mixing), pixels)
        spectrum = torch.fft.rfft2(planes, norm="ortho") / self.amplitude
        return torch.view_as_real(spectrum).contiguous()


def fourier_basis(photos: Pixels) -> FourierBasis:
    """The basis for photos like these: their size, and the covariance of their colours."""
    height, width = photos.shape[2:]
    rows = torch.fft.fftfreq(height, device=photos.device)[:, None]
    columns = torch.fft.rfftfreq(width, device=photos.device)[None]
    frequency = (rows.square() + columns.square()).sqrt().clamp(min=1 / max(height, width))
    values = photos.movedim(1, -1).flatten(0, -2).double()
    values, directions = torch.linalg.eigh(torch.cov(values.T))
    # Of grey photos no channel tells more than the others: they keep a hundredth of its amplitude.
    roots = values.clamp(min=float(values[-1]) * 1e-4 + 1e-12).sqrt()
    mixing = directions * (roots / roots[-1])
    return FourierBasis(mixing.float(), frequency.reciprocal(), (height, width))
