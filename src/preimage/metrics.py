"""How much of a photo a reconstruction shows: two contracts, never mixed in one table.

`grey_scores` (Section 4): grey by ITU-R BT.601, each image stretched to [0, 1] on its own, since
a random network has no brightness of its own. `colour_scores` (Section 3): the pixels as they
are, clipped to their range. Both are batched, and keep their conventions in `GREY` and `COLOUR`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

Images = Float[Tensor, "N C H W"]
Planes = Float[Tensor, "N H W"]
Scores = Float[Tensor, " N"]

WINDOW = 11
SIGMA = 1.5


@dataclass(frozen=True)
class Contract:
    """The conventions of a set of scores, kept in every record beside the numbers."""

    name: str
    channels: str
    value_range: str
    ssim: str = (
        f"Wang et al. 2004: Gaussian window {WINDOW}×{WINDOW}, σ {SIGMA}, K₁ 0.01, K₂ 0.03, "
        "population covariances, windows inside the image"
    )
    inversion: bool = False


GREY = Contract(
    name="grey-stretched",
    channels="ITU-R BT.601 luma 0.299 R + 0.587 G + 0.114 B",
    value_range="each image stretched to [0, 1] by its own minimum and maximum",
    inversion=True,
)
COLOUR = Contract(
    name="colour-clipped",
    channels="RGB, scores averaged over channels",
    value_range="clipped to [0, 255], no stretch",
)


@dataclass(frozen=True)
class GreyScores:
    """Scores of grey, stretched images, one value a photo.

    `pearson` in [-1, 1], of the output as it is. `ssim`: where it is negative, the output's
    luminosity is inverted and scored again (`inverted` says where), so that it lies in [0, 1].
    `mse` and `psnr` (dB) are those of the picture that `ssim` scored. `picture` is that picture.
    """

    pearson: Scores
    ssim: Scores
    inverted: Bool[Tensor, " N"]
    mse: Scores
    psnr: Scores
    picture: Planes


@dataclass(frozen=True)
class ColourScores:
    """Scores of colour images, one value a photo: mse in squared grey levels, psnr in dB, ssim."""

    mse: Scores
    psnr: Scores
    ssim: Scores


def grey_scores(originals: Images, outputs: Images) -> GreyScores:
    """Section 4's scores of `outputs` against `originals`, both of any range, 1 or 3 channels.

    A constant image stretches to 0 and has Pearson's r 0: it shows nothing of the photo.

    Raises:
        ValueError: different sizes, fewer than 11 pixels a side, NaN or infinity.
    """
    _check(originals, outputs)
    x, y = stretch(grey(originals)), stretch(grey(outputs))
    moments = _local_moments(x, y)
    scores = _ssim(*moments, data_range=1.0)
    inverted = scores < 0
    if inverted.any():
        mu_x, mu_y, squares, product = (moment[inverted] for moment in moments)
        # Moments of (x, 1 − y) follow from those of (x, y).
        moments = (mu_x, 1 - mu_y, squares + 1 - 2 * mu_y, mu_x - product)
        scores[inverted] = _ssim(*moments, data_range=1.0)
    picture = torch.where(inverted[:, None, None], 1 - y, y)
    mse = (x - picture).square().mean((1, 2))
    return GreyScores(pearson(x, y), scores, inverted, mse, psnr(mse, 1.0), picture)


def colour_scores(originals: Images, outputs: Images, data_range: float = 255.0) -> ColourScores:
    """Section 3's scores: pixels in [0, data_range], outputs clipped to it.

    Raises:
        ValueError: different shapes, fewer than 11 pixels a side, NaN or infinity.
    """
    _check(originals, outputs)
    if originals.shape != outputs.shape:
        raise ValueError(
            f"colour scores compare like with like: originals are {tuple(originals.shape)}, "
            f"outputs {tuple(outputs.shape)}; for a one-channel output use `grey_scores`."
        )
    x, y = originals.clamp(0, data_range), outputs.clamp(0, data_range)
    mse = (x - y).square().mean((1, 2, 3))
    planes = _ssim(*_local_moments(x.flatten(0, 1), y.flatten(0, 1)), data_range)
    return ColourScores(mse, psnr(mse, data_range), planes.view(x.shape[:2]).mean(1))


def grey(images: Images) -> Planes:
    """ITU-R BT.601 luma of RGB images; one-channel images as they are.

    Raises:
        ValueError: neither 1 nor 3 channels.
    """
    match images.shape[1]:
        case 1:
            return images[:, 0]
        case 3:
            r, g, b = images.unbind(1)
            return 0.299 * r + 0.587 * g + 0.114 * b
        case channels:
            raise ValueError(f"`images` must have 1 or 3 channels, got {channels}.")


def stretch(planes: Planes) -> Planes:
    """Each plane mapped linearly to [0, 1] by its own minimum and maximum; a constant one to 0."""
    low, high = planes.amin((1, 2), keepdim=True), planes.amax((1, 2), keepdim=True)
    span = high - low
    return (planes - low) / torch.where(span > 0, span, 1.0)


def pearson(x: Planes, y: Planes) -> Scores:
    """Pearson's correlation of the pixels of each pair; 0 where one of the two is constant."""
    x, y = (planes.flatten(1).double() for planes in (x, y))
    constant = (x.amin(1) == x.amax(1)) | (y.amin(1) == y.amax(1))
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    r = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    return torch.where(constant, 0.0, r).clamp(-1, 1).float()


def psnr(mse: Scores, data_range: float) -> Scores:
    """10 log₁₀(data_range² / mse), in dB; infinite for identical images."""
    return 10 * torch.log10(data_range**2 / mse)


def ssim(x: Planes, y: Planes, data_range: float = 1.0) -> Scores:
    """Structural similarity of each pair, in [-1, 1]; `GREY.ssim` says which.

    Equals scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False)`.

    Raises:
        ValueError: different sizes, fewer than 11 pixels a side, NaN or infinity.
    """
    _check(x.unsqueeze(1), y.unsqueeze(1))
    return _ssim(*_local_moments(x, y), data_range)


def _ssim(
    mu_x: Planes, mu_y: Planes, squares: Planes, product: Planes, data_range: float
) -> Scores:
    """(2 μx μy + C₁)(2 σxy + C₂) / ((μx² + μy² + C₁)(σx² + σy² + C₂)), averaged over windows."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    both = mu_x * mu_y
    powers = mu_x.square() + mu_y.square()
    covariance, variances = product - both, squares - powers
    values = (2 * both + c1) * (2 * covariance + c2) / ((powers + c1) * (variances + c2))
    return values.mean((1, 2))


def _local_moments(x: Planes, y: Planes, chunk: int = 8) -> tuple[Planes, Planes, Planes, Planes]:
    """Window means of x, y, x² + y² and x·y: all that SSIM needs, in four blurs instead of five."""
    parts = []
    for a, b in zip(torch.split(x, chunk), torch.split(y, chunk), strict=True):
        maps = _blur(torch.cat([a, b, a * a + b * b, a * b]))
        parts.append(maps.view(4, len(a), *maps.shape[1:]))
    mu_x, mu_y, squares, product = torch.cat(parts, dim=1)
    return mu_x, mu_y, squares, product


def _blur(planes: Planes) -> Float[Tensor, "N h w"]:
    """Gaussian window means, separable, windows inside the image."""
    return _blur_rows(_blur_rows(planes))


def _blur_rows(planes: Planes) -> Float[Tensor, "N W h"]:
    """Gaussian means along H, transposed.

    A depthwise convolution in which the columns are the channels: in the channels-last format
    that is the memory order planes have anyway, and it runs several times faster than a
    convolution of one-channel images.
    """
    count, height, width = planes.shape
    offsets = torch.arange(WINDOW, dtype=planes.dtype, device=planes.device) - WINDOW // 2
    weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
    kernel = (weights / weights.sum()).expand(width, 1, 1, WINDOW)
    columns = planes.reshape(count, 1, height, width).permute(0, 3, 1, 2)  # (N, W, 1, H)
    return F.conv2d(columns, kernel, groups=width).reshape(count, width, height - WINDOW + 1)


def _check(originals: Images, outputs: Images) -> None:
    if len(originals) != len(outputs) or originals.shape[-2:] != outputs.shape[-2:]:
        raise ValueError(
            f"originals {tuple(originals.shape)} and outputs {tuple(outputs.shape)} must be "
            "equally many and of equal height and width."
        )
    if min(originals.shape[-2:]) < WINDOW:
        raise ValueError(
            f"SSIM's window needs at least {WINDOW}×{WINDOW} pixels, got "
            f"{originals.shape[-2]}×{originals.shape[-1]}."
        )
    for name, images in (("originals", originals), ("outputs", outputs)):
        if not images.isfinite().all():
            raise ValueError(f"`{name}` hold NaN or infinite values; there is nothing to score.")
