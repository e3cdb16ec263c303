"""Information or prior? Floors that know nothing of the layer, and a ceiling of its rank."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import torch
from jaxtyping import Float
from scipy import linalg
from torch import Tensor

from preimage.decoders.blocks import to_blocks
from preimage.notebook.brief import Brief

Pixels = Float[Tensor, "N 3 H W"]


@dataclass(frozen=True, repr=False)
class BlockBasis(Brief):
    """Principal components of the blocks of pixels that a position stands for.

    `mean` (3·s²), `directions` (rank, 3·s²), of the training photos.
    """

    stride: int
    mean: Float[Tensor, " Q"]
    directions: Float[Tensor, "r Q"]

    def squared_error(self, pixels: Pixels) -> Float[Tensor, " N"]:
        """Mean squared error per value of each photo, its blocks projected on the directions."""
        blocks = to_blocks(pixels, self.stride).double()  # (N, Q, h, w)
        centred = blocks - self.mean[:, None, None]
        within = torch.einsum("rq,nqhw->nrhw", self.directions, centred)
        rest = centred.square().sum((1, 2, 3)) - within.square().sum((1, 2, 3))
        return rest.clamp(min=0) / blocks[0].numel()


def block_basis(pixels: Pixels, stride: int, rank: int) -> BlockBasis | None:
    """The best basis of `rank` numbers per block: no linear decoder of `rank` numbers per block can
    do better on these photos. None where the rank is no limit.

    Of fewer blocks than values in a block, it spans no more than the blocks, as a decoder does.
    """
    size = 3 * stride**2
    if rank >= size:
        return None
    parts = [
        to_blocks(part, stride).movedim(1, -1).flatten(0, 2) for part in torch.split(pixels, 16)
    ]
    count = sum(map(len, parts))
    mean = torch.stack([part.sum(0, dtype=torch.float64) for part in parts]).sum(0) / count
    if count <= size:
        _, values, vectors = torch.linalg.svd(torch.cat(parts).double() - mean, full_matrices=False)
        kept = values[:rank] > 1e-10 * values[0]
        return BlockBasis(stride, mean, vectors[:rank][kept].contiguous())
    gram = torch.zeros(size, size, dtype=torch.float64)
    for part in parts:
        centred = part - mean.to(part)
        gram += centred.T @ centred
    # Of SciPy's drivers this one computes the largest components only.
    _, columns = linalg.eigh(gram.numpy(), subset_by_index=(size - rank, size - 1), driver="evr")
    return BlockBasis(stride, mean, torch.from_numpy(columns.T[::-1].copy()))


def another_photo(features: Tensor) -> Tensor:
    """Each photo with the features of the next one."""
    return features.roll(1, 0)


def shuffled_positions(maps: Float[Tensor, "N C h w"], seed: int) -> Float[Tensor, "N C h w"]:
    """Each photo's features at its positions in a random order."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(maps.shape[2] * maps.shape[3], generator=generator)
    return maps.flatten(2)[:, :, order].reshape(maps.shape)


def psnr(mse: Sequence[float]) -> list[float]:
    """dB of each mean squared error of pixels in [0, 255]; at most 68 dB (0.01 levels²)."""
    return [10 * log10(255**2 / max(value, 0.01)) for value in mse]


def usable_bits(psnr: float, psnr_of_mean: float) -> float:
    """Usable bits per pixel value: (PSNR − PSNR of the mean image) / (20 log₁₀ 2).

    The predictive V-information (Xu et al. 2020) of the family of Gaussian decoders whose variance
    is the mean squared error that they reach: the entropy they give to a pixel value falls by half
    the logarithm of the ratio of the two errors. It assumes errors of equal variance everywhere,
    and averages PSNR over photos, so it is a mean over photos of each photo's own ratio.
    """
    return (psnr - psnr_of_mean) / 6.020599913279624
