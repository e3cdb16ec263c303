"""How much of a photo a reconstruction shows: two scoring conventions, never mixed in one table.

`grey_scores` (Section 4): grey by ITU-R BT.601, each image stretched to [0, 1] separately, since
a random network has no brightness of its own. `colour_scores` (Section 3): the pixels as they
are, clipped to their range. Both are batched; `GREY` and `COLOUR` describe the two conventions.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from preimage.data.pictures import Pictures, picture_batch, side_of
from preimage.notebook.brief import Brief

Images = Float[Tensor, "N C H W"]
OtherImages = Float[Tensor, "M D h w"]  # any shape: what must agree is checked, in words
Planes = Float[Tensor, "N H W"]
Scores = Float[Tensor, " N"]

WINDOW = 11
SIGMA = 1.5


@dataclass(frozen=True)
class ScoringConvention:
    """How a set of scores is computed; every record keeps it beside the numbers as `contract`."""

    name: str
    channels: str
    value_range: str
    ssim: str = (
        f"Wang et al. 2004: Gaussian window {WINDOW}×{WINDOW}, σ {SIGMA}, K₁ 0.01, K₂ 0.03, "
        "population covariances, windows inside the image"
    )
    inversion: bool = False


GREY = ScoringConvention(
    name="grey-stretched",
    channels="ITU-R BT.601 luma 0.299 R + 0.587 G + 0.114 B",
    value_range="each image stretched to [0, 1] by its own minimum and maximum",
    inversion=True,
)
COLOUR = ScoringConvention(
    name="colour-clipped",
    channels="RGB, scores averaged over channels",
    value_range="clipped to [0, 255], no stretch",
)


@dataclass(frozen=True, repr=False)
class GreyScores(Brief):
    """Scores of grey, stretched images, one value per photo.

    `pearson`, in [-1, 1], is that of the output as it comes. Where `ssim` is negative, the output's
    luminosity is inverted and scored again (`inverted` says where), so `ssim` lies in [0, 1].
    `picture` is the picture that `ssim` scored; `mse` and `psnr` (dB) refer to it, too.
    """

    pearson: Scores
    ssim: Scores
    inverted: Bool[Tensor, " N"]
    mse: Scores
    psnr: Scores
    picture: Planes


@dataclass(frozen=True, repr=False)
class ColourScores(Brief):
    """Scores of colour images, one value per photo: mse (grey levels²), psnr (dB) and ssim."""

    mse: Scores
    psnr: Scores
    ssim: Scores


def grey_scores(originals: Pictures, outputs: Pictures) -> GreyScores:
    """Section 4's scores of `outputs` against `originals`, both of any range, 1 or 3 channels.

    Tensors (N, C, H, W), or pictures in any form of `preimage.data.pictures`: a file is cropped
    and resized to the size of the others where that is a square. A constant image is stretched to
    0 and has r = 0: it shows nothing of the photo.

    Raises:
        ValueError: different sizes, fewer than 11 pixels a side, NaN or infinity.
    """
    originals, outputs = _one_precision(*_batches(originals, outputs))
    _check(originals, outputs)
    x, y = stretch(grey(originals)), stretch(grey(outputs))
    scores = _ssim(x, y, data_range=1.0)
    inverted = scores < 0
    picture = torch.where(inverted[:, None, None], 1 - y, y)
    if inverted.any():
        scores[inverted] = _ssim(x[inverted], picture[inverted], data_range=1.0)
    mse = (x - picture).square().mean((1, 2))
    return GreyScores(pearson(x, y), scores, inverted, mse, psnr(mse, 1.0), picture)


def colour_scores(
    originals: Pictures, outputs: Pictures, data_range: float = 255.0
) -> ColourScores:
    """Section 3's scores: pixels in [0, data_range], outputs clipped to it.

    The pictures are given as in `grey_scores`.

    Raises:
        ValueError: different shapes, fewer than 11 pixels a side, NaN or infinity.
    """
    originals, outputs = _one_precision(*_batches(originals, outputs))
    _check(originals, outputs)
    if originals.shape != outputs.shape:
        raise ValueError(
            f"colour scores need originals and outputs of one shape, got {tuple(originals.shape)} "
            f"and {tuple(outputs.shape)}; for a one-channel output use `grey_scores`."
        )
    x, y = originals.clamp(0, data_range), outputs.clamp(0, data_range)
    mse = (x - y).square().mean((1, 2, 3))
    planes = _ssim(x.flatten(0, 1), y.flatten(0, 1), data_range)
    return ColourScores(mse, psnr(mse, data_range), planes.view(x.shape[:2]).mean(1))


def grey(images: Images) -> Planes:
    """ITU-R BT.601 luma of RGB images; one-channel images are returned as they are.

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
    """Maps each plane linearly to [0, 1] by its own minimum and maximum; a constant plane to 0."""
    low, high = planes.amin((1, 2), keepdim=True), planes.amax((1, 2), keepdim=True)
    span = high - low
    return (planes - low) / torch.where(span > 0, span, 1.0)


def pearson(x: Planes, y: Planes) -> Scores:
    """Pearson's correlation of the pixels of each pair; 0 if either image is constant."""
    x, y = (planes.flatten(1).double() for planes in (x, y))
    constant = (x.amin(1) == x.amax(1)) | (y.amin(1) == y.amax(1))
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    r = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    return torch.where(constant, 0.0, r).clamp(-1, 1).float()


def psnr(mse: Scores, data_range: float) -> Scores:
    """10 log₁₀(data_range² / mse), in dB; infinite for identical images."""
    return 10 * torch.log10(data_range**2 / mse)


def ssim(x: Planes, y: Planes, data_range: float = 1.0) -> Scores:
    """Structural similarity of each pair, in [-1, 1], as defined in `GREY.ssim`.

    Equals scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False)`.

    Raises:
        ValueError: different sizes, fewer than 11 pixels a side, NaN or infinity.
    """
    _check_sizes(x.unsqueeze(1), y.unsqueeze(1))
    scores = _ssim(x, y, data_range)
    if not scores.isfinite().all():  # cheaper than checking every pixel
        raise ValueError("`x` or `y` holds NaN or infinite values; there is nothing to score.")
    return scores


def _ssim(x: Planes, y: Planes, data_range: float, chunk: int = 16) -> Scores:
    """The average over windows of (2 μx μy + C₁)(2 σxy + C₂) / ((μx² + μy² + C₁)(σx² + σy² + C₂)).

    Let E be the mean over a window, u = μx μy + C₁/2 and v = μx² + μy² + C₁. Then SSIM is
    4 u (E[xy] + (C₁ + C₂)/2 − u) / (v (E[x² + y²] + C₁ + C₂ − v)): four blurs, few passes.
    """
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    if not len(x):
        return x.new_zeros(0)
    scores = []
    parts = -(-len(x) // chunk)  # equal sizes: a chunk of 2 costs half as much as one of 16
    for a, b in zip(torch.chunk(x, parts), torch.chunk(y, parts), strict=True):
        kernel = _window_kernel(len(a), like=a)
        # Each photo becomes a channel of one channels-last image; see `_window_means`.
        a, b = (p.unsqueeze(0).contiguous(memory_format=torch.channels_last) for p in (a, b))
        mu_a, mu_b = _window_means(a, kernel), _window_means(b, kernel)
        product = _window_means(a * b, kernel, (c1 + c2) / 2)
        squares = _window_means((a * a).addcmul_(b, b), kernel, c1 + c2)
        u = torch.addcmul(a.new_tensor(c1 / 2), mu_a, mu_b)
        v = torch.addcmul(a.new_tensor(c1), mu_a, mu_a).addcmul_(mu_b, mu_b)
        ratio = product.sub_(u).mul_(u).div_(squares.sub_(v).mul_(v))
        scores.append(4 * ratio.mean((0, 2, 3)))
    return torch.cat(scores)


def _window_kernel(count: int, like: Tensor) -> Float[Tensor, "N 1 1 K"]:
    """One row of the Gaussian window, for each of `count` channels."""
    offsets = torch.arange(WINDOW, dtype=like.dtype, device=like.device) - WINDOW // 2
    weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
    return (weights / weights.sum()).repeat(count, 1, 1, 1)


def _window_means(
    images: Float[Tensor, "1 N H W"], kernel: Float[Tensor, "N 1 1 K"], constant: float = 0.0
) -> Float[Tensor, "1 N h w"]:
    """Gaussian means over the windows inside each image, plus a constant.

    Two depthwise convolutions, one per axis. With photos as channels they vectorise over photos
    and are several times faster than convolutions of one-channel images.
    """
    rows = F.conv2d(images, kernel.transpose(2, 3), groups=len(kernel))
    return F.conv2d(rows, kernel, kernel.new_full((len(kernel),), constant), groups=len(kernel))


def _batches(originals: Pictures, outputs: Pictures) -> tuple[Tensor, Tensor]:
    side = side_of(outputs) or side_of(originals)
    return picture_batch(originals, "originals", side), picture_batch(outputs, "outputs", side)


def _one_precision(originals: Images, outputs: OtherImages) -> tuple[Tensor, Tensor]:
    """Both in the wider of the two precisions, and at least float32: SSIM takes differences."""
    dtype = torch.promote_types(torch.promote_types(originals.dtype, outputs.dtype), torch.float32)
    return originals.to(dtype), outputs.to(dtype)


def _check(originals: Images, outputs: OtherImages) -> None:
    _check_sizes(originals, outputs)
    for name, images in (("originals", originals), ("outputs", outputs)):
        # The extremes carry any NaN or infinity, in one pass over the images.
        if images.numel() and not torch.stack(images.aminmax()).isfinite().all():
            raise ValueError(f"`{name}` hold NaN or infinite values; there is nothing to score.")


def _check_sizes(originals: Images, outputs: OtherImages) -> None:
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
