"""Why: a probe reads many layers in one pass. What does that cost beside the model's own forward?

ResNet-50 of torchvision with random weights, synthetic photos of 224×224. One setting a process,
for its peak memory:

    python benchmarks/probe_cost.py pass --positions 98       twelve layers, pointwise
    python benchmarks/probe_cost.py windows --components 256  3×3 windows of layer3
    python benchmarks/probe_cost.py vectors                   500 photos, 100,000 features

`pass` alternates batches: the model alone, then the same with all sums taken. Products wait until
there are enough rows, so that a ratio is of totals over several batches; it prints the median and
the range over repeats. Time is the process's own, on one thread: other jobs do not count.
"""

import argparse
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from preimage.network.trace import Alignment
from preimage.probing.block_sums import PixelBlocks
from preimage.probing.capture import capture, undisturbed
from preimage.probing.controls import psnr
from preimage.probing.linear import LinearSums
from preimage.probing.linear_rung import squared_error
from preimage.probing.vectors import fit_vectors, spectrum

SIZE = 224
LAYERS = {
    **{f"layer1.{block}": 4 for block in range(3)},
    **{f"layer2.{block}": 8 for block in range(4)},
    **{f"layer3.{block}": 16 for block in (1, 3, 5)},
    **{f"layer4.{block}": 32 for block in (0, 2)},
}


def resnet50() -> nn.Module:
    # torchvision's wheel for CUDA fails to import beside torch for CPUs: pytorch/vision#9085.
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    import torchvision

    torch.manual_seed(0)
    model: nn.Module = torchvision.models.resnet50().eval()
    return model


def photos(count: int, seed: int) -> Tensor:
    """Smooth noise on three scales: neighbouring pixels are correlated, as in photos."""
    generator = torch.Generator().manual_seed(seed)
    out = torch.zeros(count, 3, SIZE, SIZE)
    for side, weight in ((7, 90.0), (28, 60.0), (112, 30.0)):
        noise = torch.rand(count, 3, side, side, generator=generator) - 0.5
        out += weight * 2 * F.interpolate(noise, (SIZE, SIZE), mode="bilinear")
    return (out + 127).clamp(0, 255)


def one_pass(options: argparse.Namespace) -> None:
    model, batch = resnet50(), options.batch
    sums = {name: LinearSums(Alignment(s), 1, options.positions) for name, s in LAYERS.items()}
    ratios, forward, number = [], 0.0, 0
    with undisturbed(model), torch.no_grad():
        _take(model, sums, photos(batch, 0), 0)  # the first batch allocates
        for _ in range(options.repeats):
            alone = together = 0.0
            for _ in range(options.batches):
                number += 1
                pixels = photos(batch, number)
                start = time.process_time()
                model(pixels / 255)
                middle = time.process_time()
                _take(model, sums, pixels, number * batch)
                alone += middle - start
                together += time.process_time() - middle
            ratios.append(together / alone)
            forward += alone
    cells = (
        options.positions or "all",
        f"{1e3 * forward / (number * batch):.0f}",
        f"{statistics.median(ratios):.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"{peak():.2f}",
    )
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def _take(model: nn.Module, sums: dict[str, LinearSums], pixels: Tensor, first: int) -> None:
    found = capture(model, list(sums), pixels / 255)
    held = [(first + i) % 5 == 1 for i in range(len(pixels))]
    blocks = PixelBlocks(pixels)
    for name, sum_ in sums.items():
        sum_.add(found[name], blocks, held)


def windows(options: argparse.Namespace) -> None:
    model, name, batch = resnet50(), "layer3.5", options.batch
    sums = {name: LinearSums(Alignment(16), options.window, options.positions, options.components)}
    start = time.process_time()
    with undisturbed(model), torch.no_grad():
        for number in range(options.batches):
            _take(model, sums, photos(batch, number), number * batch)
        passed = time.process_time()
        decoder = sums[name].solve((1e-3, 1e-2, 1e-1))
        solved = time.process_time()
        errors: list[float] = []
        for number in range(4):
            pixels = photos(batch, 10_000 + number)
            found = capture(model, [name], pixels / 255)[name]
            errors += squared_error(decoder(found, (SIZE, SIZE)), pixels).tolist()
    cells = (
        f"{options.window}×{options.window}",
        options.components or "all 1024",
        len(decoder.weight),
        options.batches * batch,
        f"{passed - start:.0f}",
        f"{solved - passed:.0f}",
        f"{statistics.fmean(psnr(errors)):.2f}",
        f"{decoder.ridge:g}",
        f"{peak():.2f}",
    )
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def vectors(options: argparse.Namespace) -> None:
    pixels = photos(500, 0)
    generator = torch.Generator().manual_seed(1)
    mixing = torch.randn(3 * 28 * 28, 100_000, generator=generator)
    features = (F.avg_pool2d(pixels - 127, 8).flatten(1) @ mixing).relu()
    del mixing
    before = peak()
    start = time.process_time()
    known = spectrum(pixels)
    decoder = fit_vectors(features, known, [i % 5 == 1 for i in range(500)], pixels.mean(0))
    fitted = time.process_time()
    decoder(features[:8], (SIZE, SIZE))
    cells = (
        *features.shape,
        f"{fitted - start:.0f}",
        f"{before:.2f}",
        f"{peak():.2f}",
        f"{decoder.ridge:g}",
    )
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def peak() -> float:
    """Peak RSS of this process, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    torch.set_num_threads(1)
    what = {"pass": one_pass, "windows": windows, "vectors": vectors}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=what)
    parser.add_argument("--positions", type=int)
    parser.add_argument("--components", type=int)
    parser.add_argument("--window", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    what[given.what](given)
