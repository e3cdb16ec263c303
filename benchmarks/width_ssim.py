"""Why: SSIM of the original network does not grow with its width (Figure 8a); which part of the
score says so?

Scores the outputs of the same random networks four ways: as the paper does (inverted where SSIM is
negative); inverted where Pearson's r is negative, as the eye would; both again with photo and
output averaged over 2×2 pixels, which takes away the grid that unpooling by zeros prints. Prints
the slope per doubling of the width with its 95 % interval over networks, and the share of pictures
that are negatives (r < 0) but were not inverted.

    python benchmarks/width_ssim.py --networks 30          # 2 minutes on one core
"""

import argparse
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from preimage.data.photo import Photo, embedded_photos
from preimage.network.operations import UnpoolKind
from preimage.network.spec import ReconstructConfig
from preimage.paper.curves import Curve, slope
from preimage.scores.metrics import grey, pearson, ssim, stretch
from preimage.sweeps.pair import RandomPair

WIDTHS = (4, 8, 16, 32, 64, 128)
WAYS = ("paper", "sign of r", "paper, 2×2 means", "sign of r, 2×2 means")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--networks", type=int, default=30)
    networks = parser.parse_args().networks
    photos = embedded_photos()
    print("| unpooling | scored by | width 4 | width 128 | per doubling | negatives left |")
    print("| --- | --- | --- | --- | --- | --- |")
    for unpool in ("zeros", "nearest"):
        curves, left = measure(unpool, networks, photos)
        for way, curve in curves.items():
            ends = " | ".join(f"{curve.interval(width):.3f}" for width in (WIDTHS[0], WIDTHS[-1]))
            print(f"| {unpool} | {way} | {ends} | {slope(curve):+.4f} | {100 * left[way]:.0f} % |")


def measure(
    unpool: UnpoolKind, networks: int, photos: list[Photo]
) -> tuple[dict[str, Curve], dict[str, float]]:
    """By way of scoring: SSIM over the width, and the share of negatives that stay negatives."""
    curves = {way: Curve(way, {width: {} for width in WIDTHS}) for way in WAYS}
    left: dict[str, list[float]] = {way: [] for way in WAYS}
    for width in WIDTHS:
        for number in range(networks):
            config = ReconstructConfig(
                layer="conv1", pooled=True, width=width, unpool=unpool, network_number=number
            )
            pair = RandomPair(config)
            outputs = torch.stack([pair(photo).colour for photo in photos])
            for way, (score, negative) in scored(photos, outputs).items():
                curves[way].values[width][number] = score
                left[way].append(negative)
    return curves, {way: fmean(shares) for way, shares in left.items()}


def scored(photos: list[Photo], outputs: Tensor) -> dict[str, tuple[float, float]]:
    """By way: the mean SSIM, and the share of pictures that are shown as negatives."""
    x = stretch(grey(torch.stack([photo.pixels for photo in photos])))
    y = stretch(grey(outputs))
    found = {}
    for name, (a, b) in {"": (x, y), ", 2×2 means": (blocks(x), blocks(y))}.items():
        r = pearson(a, b)
        plain, inverted = ssim(a, b), ssim(a, 1 - b)
        for way, flip in (("paper", plain < 0), ("sign of r", r < 0)):
            shown = torch.where(flip, inverted, plain)
            found[way + name] = (float(shown.mean()), float(((r < 0) & ~flip).float().mean()))
    return found


def blocks(planes: Tensor) -> Tensor:
    """Means over 2×2 pixels, stretched again."""
    return stretch(F.avg_pool2d(planes[:, None], 2)[:, 0])


if __name__ == "__main__":
    main()
