"""Why: the best linear decoder is the yardstick of trained ones. What does it reach, at what cost?

Random VGG16 (leaky ReLU 0.2, fan-in Gaussian), fitted to the first photos by name of one folder,
scored on the first photos of another, top-left 224×224 pixels; colour scores averaged over photos.
The encoder's own forward pass is timed inside the fit, so that noise falls on both. One setting a
process, for its peak memory:

    python benchmarks/least_squares.py --train FOLDER --val FOLDER --layer conv2 --window 3

Prints one row: layer, window, positions a photo, photos, weights for each pixel (p = k·k·C), PSNR
and SSIM, ridge, seconds of the fit (forward pass included) and of the forward pass, their ratio,
milliseconds to decode a photo, peak RSS.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from preimage import build, colour_scores, vgg16
from preimage.decoders.ridge import fit_least_squares
from preimage.network.trace import alignment

SIZE = 224


class TimedEncoder:
    """An encoder that adds up the time it takes."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network, self.seconds = network, 0.0

    def __call__(self, pixels: Tensor) -> Tensor:
        """Features of a batch."""
        start = time.perf_counter()
        features: Tensor = self.network(pixels)
        self.seconds += time.perf_counter() - start
        return features


def batches(folder: Path, count: int, batch: int) -> Iterator[Tensor]:
    files = sorted(folder.iterdir())[:count]
    for start in range(0, len(files), batch):
        arrays = [
            np.array(Image.open(file).convert("RGB"))[:SIZE, :SIZE]
            for file in files[start : start + batch]
        ]
        yield torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float()


def measure(options: argparse.Namespace) -> None:
    description = vgg16().with_activation(0.2).cut(options.layer)
    encoder = TimedEncoder(build(description, seed=options.seed))
    reading = 0.0

    def photos() -> Iterator[Tensor]:
        nonlocal reading
        stream = batches(options.train, options.photos, options.batch)
        while True:
            begin = time.perf_counter()
            pixels = next(stream, None)
            reading += time.perf_counter() - begin
            if pixels is None:
                return
            yield pixels

    start = time.perf_counter()
    decoder = fit_least_squares(
        encoder,
        photos(),
        alignment(description),
        window=options.window,
        positions=options.positions,
    )
    fit, forward = time.perf_counter() - start - reading, encoder.seconds
    psnr, ssim, decoding = [], [], 0.0
    with torch.inference_mode():
        for pixels in batches(options.val, options.held_out, options.batch):
            features = encoder(pixels)
            start = time.perf_counter()
            output = decoder(features, (SIZE, SIZE))
            decoding += time.perf_counter() - start
            scores = colour_scores(pixels, output)
            psnr.append(scores.psnr)
            ssim.append(scores.ssim)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    cells = (
        options.layer,
        f"{options.window}×{options.window}",
        options.positions or "all",
        decoder.record.photos,
        options.window**2 * description.out_channels,
        f"{torch.cat(psnr).mean():.2f}",
        f"{torch.cat(ssim).mean():.3f}",
        f"{decoder.record.ridge:g}",
        f"{fit:.1f}",
        f"{forward:.1f}",
        f"{fit / forward:.2f}",
        f"{1e3 * decoding / options.held_out:.0f}",
        f"{peak:.2f}",
    )
    print("|", " | ".join(map(str, cells)), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--layer", default="conv2")
    parser.add_argument("--window", type=int, default=3)
    parser.add_argument("--positions", type=int)
    parser.add_argument("--photos", type=int, default=96)
    parser.add_argument("--held-out", type=int, default=24)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    measure(parser.parse_args())
