"""Why: studies score thousands of pictures. Ours is batched; is it faster than one by one?

SSIM of 50 pairs at 227×227 against scikit-image's, called one by one on the same float32 arrays
(and on float64 ones, which is what its own `rgb2gray` gives), taken in turns in one process. Ours
is timed over five batches in a row: a study's state, as fifty calls in a row are scikit-image's.

    python benchmarks/ssim_speed.py [--pairs 50] [--size 227] [--repeats 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from skimage.metrics import structural_similarity

from preimage.scores.metrics import ssim

BATCHES = 5


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def one_by_one(x: np.ndarray, y: np.ndarray) -> list[float]:
    return [
        structural_similarity(
            a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in zip(x, y, strict=True)
    ]


def compare(pairs: int, size: int, repeats: int) -> None:
    torch.manual_seed(0)
    x = torch.rand(pairs, size, size)
    y = (x + 0.3 * torch.rand_like(x)).clamp(0, 1)
    error = float((ssim(x, y) - torch.tensor(one_by_one(x.numpy(), y.numpy()))).abs().max())
    times: dict[str, list[float]] = {"ours": [], "float32": [], "float64": []}
    for _ in range(repeats):
        times["float32"].append(seconds(lambda: one_by_one(x.numpy(), y.numpy())))
        times["ours"].append(seconds(lambda: [ssim(x, y) for _ in range(BATCHES)]) / BATCHES)
        times["float64"].append(seconds(lambda: one_by_one(x.double().numpy(), y.double().numpy())))
    ours = times["ours"]
    ratio = {
        kind: statistics.median(a / b for a, b in zip(times[kind], ours, strict=True))
        for kind in ("float32", "float64")
    }
    milliseconds = {kind: 1e3 * statistics.median(values) for kind, values in times.items()}
    print(
        f"{pairs} pairs at {size}×{size}: ours {milliseconds['ours']:.1f} ms, scikit-image "
        f"{milliseconds['float32']:.0f} ms: ratio {ratio['float32']:.1f} "
        f"(float64 {milliseconds['float64']:.0f} ms: {ratio['float64']:.1f}), n = {repeats}; "
        f"largest difference {error:.1e}; {torch.get_num_threads()} threads"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--size", type=int, default=227)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    compare(options.pairs, options.size, options.repeats)
