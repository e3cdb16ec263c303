"""Why: a leakage curve is computed from sums alone. Is it what an attacker would really reach?

Layers of a random VGG16 of a quarter of the width, photos of one folder for fitting and of another
for scoring, centre squares. At each level of noise a decoder is fitted anew, with the ridge of the
one without noise, to features with noise really added, several times with other noise to each
photo, and scored on other photos, likewise:

    python benchmarks/leakage_refits.py --train FOLDER --val FOLDER

Prints a row per layer and signal-to-noise ratio: PSNR by the curve, PSNR of the fit, difference.
With one copy of each photo the fit knows the noise worse than its law, and reaches less.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from math import inf, log10
from pathlib import Path

import torch
from torch import Tensor

from preimage import Alignment, alignment, build, vgg16
from preimage.data.photos import stack_photos
from preimage.probing.leakage_sums import MapSums
from preimage.probing.linear import RIDGES, LinearDecoder, LinearSums

LEVELS = (inf, 30, 20, 10, 0, -10)  # dB
BATCH = 10


def measure(name: str, training: Tensor, held_out: Tensor, options: argparse.Namespace) -> None:
    window, copies = options.window, options.copies
    description = vgg16().with_activation(0.2).scale_width(options.width).cut(name)
    encoder, place = build(description, seed=0), alignment(description)
    size = (training.shape[2], training.shape[3])
    with torch.no_grad():
        features, unseen = (
            torch.cat([encoder(part) for part in torch.split(photos, BATCH)])
            for photos in (training, held_out)
        )
    std = features.std((0, 2, 3), correction=0)[:, None, None]
    pairs = zip(torch.split(features, BATCH), torch.split(training, BATCH), strict=True)
    decoder = fit(pairs, place, window)
    sums = MapSums(decoder)
    for maps, pixels in zip(torch.split(unseen, BATCH), torch.split(held_out, BATCH), strict=True):
        sums.add(maps, pixels)
    predicted = {point.level: point.psnr for point in sums.curve().series["noise"]}
    for level in LEVELS:
        generator = torch.Generator().manual_seed(1)
        form = std, level, generator, copies if level < inf else 1
        refit = fit(noisy(features, training, *form), place, window, (decoder.ridge,))
        error = [
            (refit(maps, size) - pixels).double().square().mean()
            for maps, pixels in noisy(unseen, held_out, *form)
        ]
        reached = 10 * log10(255**2 / float(torch.stack(error).mean()))
        curve = predicted[level]
        cells = name, f"{window}×{window}", level, f"{curve:.3f}", f"{reached:.3f}"
        print("|", " | ".join(map(str, cells)), f"| {curve - reached:+.3f} |", flush=True)


def noisy(
    maps: Tensor,
    photos: Tensor,
    std: Tensor,
    level: float,
    generator: torch.Generator,
    copies: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches with white noise on each channel at this signal-to-noise ratio, and their photos."""
    for _ in range(copies):
        for part, pixels in zip(torch.split(maps, BATCH), torch.split(photos, BATCH), strict=True):
            noise = torch.randn(part.shape, generator=generator) * std * 10 ** (-level / 20)
            yield part + noise, pixels


def fit(
    batches: Iterable[tuple[Tensor, Tensor]],
    place: Alignment,
    window: int,
    ridges: Sequence[float] = RIDGES,
) -> LinearDecoder:
    sums = LinearSums(place, window)
    for maps, pixels in batches:
        sums.add(maps, pixels, [i % 5 == 1 for i in range(len(maps))])
    return sums.solve(ridges)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--layers", nargs="+", default=["conv2", "conv3", "conv4"])
    parser.add_argument("--photos", type=int, default=120)
    parser.add_argument("--held-out", type=int, default=40)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--window", type=int, default=1)
    parser.add_argument("--copies", type=int, default=5)
    parser.add_argument("--width", type=float, default=0.25)
    given = parser.parse_args()
    files = [sorted(folder.iterdir()) for folder in (given.train, given.val)]
    training = stack_photos(files[0][: given.photos], given.size)
    held_out = stack_photos(files[1][: given.held_out], given.size)
    for layer in given.layers:
        measure(layer, training, held_out, given)
