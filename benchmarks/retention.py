"""Why: the computed line holds for infinite width. Do networks tend to it, and how fast?

Random VGG16 (average pools, leaky ReLU 0.2, fan-in Gaussian): the least-squares error of networks
of growing width at the positions, photos and ridge rule of the computed one.

    python benchmarks/retention.py --train FOLDER --val FOLDER --layer conv2 --out FILE.jsonl

Writes one line per network: layer, width, number, mean squared error, ridge; and one for the
limit. `benchmarks/retention_report.py` makes tables of them.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from preimage import build, vgg16
from preimage.data.memory import squares_of
from preimage.network.limit.pairs import pair_recursion
from preimage.network.spec import IMAGENET_MEAN, IMAGENET_STD
from preimage.retention.kernel_ridge import RIDGES, Problem, errors_by_ridge, feature_problem, fit
from preimage.retention.layer import KernelOptions, layer_problem
from preimage.retention.layer_retention import decibels
from preimage.retention.networks import tile_features
from preimage.retention.positions import Sampling

SHOWN = RIDGES[4:13:2]  # 1e-3 … 1e-7: errors at a given ridge, besides those at the chosen one


def measure(options: argparse.Namespace) -> None:
    description = vgg16().with_pool("avg").with_activation(options.slope).cut(options.layer)
    if options.mean_subtracted:
        description = description.with_input(IMAGENET_MEAN, IMAGENET_STD)
    training = squares_of(str(options.train), options.size, options.photos).pixels
    scored = squares_of(str(options.val), options.size, options.held_out).pixels
    sampling = Sampling(options.positions, options.positions, options.tile, options.seed)
    kernel = KernelOptions(sampling=sampling, dtype=torch.float64)
    layer, problem = layer_problem(description, training, scored, kernel)
    size = (options.size, options.size)
    recursion = pair_recursion(description, size, layer.training.size)
    done = finished(options.out)

    def report(width: int, number: int, measured: Problem, start: float) -> None:
        found = fit(measured)
        row = {
            "layer": options.layer,
            "positions": layer.training.positions,
            "width": width,
            "number": number,
            "mse": found.mse,
            "psnr": decibels(found.mse),
            "ridge": found.ridge,
            "by_ridge": dict(zip(map(str, SHOWN), errors_by_ridge(measured, SHOWN), strict=True)),
            "seconds": round(time.perf_counter() - start, 2),
        }
        with open(options.out, "a") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)

    if (0, 0) not in done:
        report(0, 0, problem, time.perf_counter())
        torch.save(problem.__dict__, options.out.with_suffix(".pt"))
    for width in options.widths:
        for number in range(options.networks):
            if (width, number) in done:
                continue
            start = time.perf_counter()
            network = build(description.with_width(width), seed=1, network_number=number)
            fitted = tile_features(network, recursion, training, layer.training)
            rest = tile_features(network, recursion, scored, layer.held_out)
            report(width, number, feature_problem(fitted, rest, problem), start)


def finished(out: Path) -> set[tuple[int, int]]:
    if not out.exists():
        return set()
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    return {(row["width"], row["number"]) for row in rows}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--layer", default="conv2")
    parser.add_argument("--slope", type=float, default=0.2)
    parser.add_argument("--mean-subtracted", action="store_true")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--photos", type=int, default=64)
    parser.add_argument("--held-out", type=int, default=64)
    parser.add_argument("--positions", type=int, default=256)
    parser.add_argument("--tile", type=int, default=2)
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument(
        "--widths", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256, 512, 1024]
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    measure(parser.parse_args())
