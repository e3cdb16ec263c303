"""Why: which architecture retains most of a photo before a weight is drawn, at equal numbers?

No network is drawn. For each architecture of a grid the kernel gives the least-squares error at
infinite width, and the last layer's width alone (docs/retention.md) that at one channel per pixel
value, 3 · stride², and at four. All are fitted to and scored on the same photos.

    python benchmarks/retention_search.py --train FOLDER --val FOLDER --out FILE.jsonl
    python benchmarks/retention_search.py --train FOLDER --val FOLDER --counting --out FILE.jsonl
    python benchmarks/retention_search.py --tables FILE.jsonl

`--counting` goes through the layers of VGG16 behind their pools instead: PSNR against channels per
pixel value, and the ceiling of as many principal components of the pixels. Writes one line per
architecture; the same command goes on where it was stopped. `--tables` prints Markdown.
"""

import argparse
import json
import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch

from preimage import Conv, Description, Pool, vgg16
from preimage.data.memory import squares_of
from preimage.network.operations import Operation
from preimage.network.trace import alignment, receptive_field
from preimage.retention.kernel_ridge import RIDGES, Problem, fit
from preimage.retention.layer import KernelOptions, layer_problem
from preimage.retention.layer_retention import decibels
from preimage.retention.positions import Sampling
from preimage.retention.width import WidthCurve

SHARES = (1 / 8, 1 / 4, 1 / 2, 1, 4 / 3, 2, 8 / 3, 4, 16 / 3, 8, 16)  # channels per pixel value


def architectures() -> Iterator[Description]:
    """Kernel size × depth × slope × how the stride of 2 comes about."""
    for kernel, depth, slope, stride in product(
        (1, 3, 5), (1, 2, 4), (0.0, 0.2), ("none", "pool first", "pool last", "strided")
    ):
        if kernel == 1 and stride == "strided":
            continue  # skips three of four pixels
        operations: list[Operation] = []
        for layer in range(depth):
            step = 2 if stride == "strided" and layer == 0 else 1
            before = (kernel - step + 1) // 2
            padding = (before, kernel - step - before) if kernel >= step else (0, 0)
            operations.append(Conv(f"conv{layer}", 1, kernel, step, padding, slope))
            if stride == ("pool first" if layer == 0 else "") or (
                stride == "pool last" and layer == depth - 1
            ):
                operations.append(Pool(f"pool{layer}", "avg"))
        if stride == "pool first" and depth == 1:
            continue  # the same as the last
        yield Description(
            f"{depth} × {kernel}×{kernel}, slope {slope:g}, {stride}", tuple(operations)
        )


def counted() -> Iterator[Description]:
    """VGG16 behind the pools of Conv1 to Conv3."""
    whole = vgg16().with_pool("avg").with_activation(0.2)
    for layer in ("conv1", "conv2", "conv3"):
        yield whole.cut(layer, pooled=True)


def measure(options: argparse.Namespace, encoder: Description) -> dict[str, object]:
    """The row of one architecture."""
    training = squares_of(str(options.train), options.size, options.photos).pixels
    scored = squares_of(str(options.val), options.size, options.photos).pixels
    sampling = Sampling(options.positions, options.positions // 2, 2)
    kernel = KernelOptions(sampling=sampling, dtype=torch.float64, threads=options.threads)
    layer, problem = layer_problem(encoder, training, scored, kernel)
    found = fit(problem)
    curve = WidthCurve(problem)
    values = 3 * layer.alignment.stride**2
    widths = [round(share * values) for share in SHARES]
    return {
        "name": encoder.name,
        "stride": layer.alignment.stride,
        "field": receptive_field(encoder.operations),
        "positions": layer.training.positions,
        "psnr": decibels(found.mse),
        "curve": [
            (width, decibels(curve.best(width, RIDGES)[0])) if width else None for width in widths
        ],
        "ceiling": [component_ceiling(problem, width) if width else None for width in widths],
    }


def component_ceiling(problem: Problem, components: int) -> float | None:
    """PSNR of so many principal components of the blocks, of all that are read; None of all."""
    mean = problem.targets.mean(0)
    if components >= problem.targets.shape[1]:
        return None
    axes = torch.linalg.svd(problem.targets - mean, full_matrices=False).Vh[:components]
    rest = problem.held_out - mean
    return decibels(float((rest - rest @ axes.T @ axes).square().mean()))


def tables(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    one, four = SHARES.index(1), SHARES.index(4)
    if "pooled" in rows[0]["name"]:
        print("| layer | " + " | ".join(f"{share:.3g}" for share in SHARES) + " | ∞ |")
        print("| --- |" + " ---: |" * (len(SHARES) + 1))
        for row in rows:
            cells = [f"{point[1]:.1f}" if point else "–" for point in row["curve"]]
            print("|", " | ".join([row["name"], *cells, f"{row['psnr']:.1f}"]), "|")
            cells = ["–" if value is None else f"{value:.1f}" for value in row["ceiling"]]
            print("|", " | ".join(["its components", *cells, "–"]), "|")
        return
    print("| architecture | stride | field | one channel per value, dB | four | ∞ |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for row in sorted(rows, key=lambda row: -row["curve"][one][1]):
        cells = [row["curve"][one][1], row["curve"][four][1], row["psnr"]]
        shown = [f"{value:.1f}" for value in cells]
        print("|", " | ".join([row["name"], str(row["stride"]), str(row["field"]), *shown]), "|")


def main(options: argparse.Namespace) -> None:
    if options.tables:
        tables(options.tables)
        return
    done = set()
    if options.out.exists():
        done = {json.loads(line)["name"] for line in options.out.read_text().splitlines()}
    for encoder in counted() if options.counting else architectures():
        if encoder.name in done:
            continue
        assert math.isfinite(alignment(encoder).stride)
        row = measure(options, encoder)
        with open(options.out, "a") as file:
            file.write(json.dumps(row) + "\n")
        print(row["name"], row["psnr"], flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--val", type=Path)
    parser.add_argument("--counting", action="store_true")
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--photos", type=int, default=128)
    parser.add_argument("--positions", type=int, default=512)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    main(parser.parse_args())
