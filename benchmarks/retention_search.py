"""Why: which architecture retains most of a photo before a weight is drawn, at equal numbers?

No network is drawn. For each architecture of a grid the kernel gives the least-squares error at
infinite width, and the last layer's width alone (docs/retention.md) that at one channel per pixel
value, 3 · stride², and at four. All are fitted to and scored on the same photos.

    python benchmarks/retention_search.py --train FOLDER --val FOLDER --out FILE.jsonl
    python benchmarks/retention_search.py --train FOLDER --val FOLDER --counting --out FILE.jsonl
    python benchmarks/retention_search.py --tables FILE.jsonl

`preimage retain --search` does this for photos of one's own, with a page. Here are more shares, and
`--counting` goes through the layers of VGG16 behind their pools instead: PSNR against channels per
pixel value, and the ceiling of as many principal components of the pixels. Writes one line per
architecture; the same command goes on where it was stopped. `--tables` prints Markdown.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch

from preimage import vgg16
from preimage.data.memory import squares_of
from preimage.network.trace import receptive_field
from preimage.retention.kernel_ridge import RIDGES, Problem, fit
from preimage.retention.layer import KernelOptions, layer_problem
from preimage.retention.layer_retention import decibels
from preimage.retention.positions import Sampling
from preimage.retention.search import FAMILIES, Candidate, architectures, behind_pools
from preimage.retention.width import WidthCurve

SHARES = (1 / 8, 1 / 4, 1 / 2, 1, 4 / 3, 2, 8 / 3, 4, 16 / 3, 8, 16)  # channels per pixel value


def counted() -> Iterator[Candidate]:
    """VGG16 behind the pools of Conv1 to Conv3."""
    whole = vgg16().with_pool("avg").with_activation(0.2)
    yield from behind_pools(whole, ("conv1", "conv2", "conv3"))


def name_of(candidate: Candidate) -> str:
    name = candidate.encoder.name
    return f"{name}, {candidate.family}" if candidate.family in FAMILIES else name


def measure(options: argparse.Namespace, candidate: Candidate) -> dict[str, object]:
    """The row of one architecture."""
    encoder = candidate.encoder
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
        "name": name_of(candidate),
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
    for candidate in counted() if options.counting else architectures():
        if name_of(candidate) in done:
            continue
        row = measure(options, candidate)
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
