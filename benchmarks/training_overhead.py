"""Why: a training loop should cost nothing beside the step.

Our loop (records, metrics file, learning-rate schedule, accelerate, data) against the bare PyTorch
step on the same model and batches, alternating, median of several repeats.

    python benchmarks/training_overhead.py
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from preimage.data.crops import Batch
from preimage.data.memory import MemorySource
from preimage.decoders.batches import crop_dataset, load_batches
from preimage.decoders.inverter import Inversion
from preimage.decoders.loop import Training
from preimage.decoders.recipes import Recipe
from preimage.decoders.run_folder import Run
from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.network.trace import input_sizes

STEPS, REPEATS = 150, 5
RECIPE = Recipe(steps=10**6, batch_size=16, crop=64, flip=True, learning_rate=1e-3)
ENCODER = vgg16().cut("conv2").scale_width(0.25).with_input((120.0,) * 3, (60.0,) * 3)


def main() -> None:
    pixels = torch.randint(0, 256, (256, 3, 128, 128), dtype=torch.uint8)
    source = MemorySource(pixels, [str(i) for i in range(256)], "none", np.zeros(256, np.int64))
    with tempfile.TemporaryDirectory() as folder:
        ours, data = looped(source, Path(folder))
        bare = plain(data)
        next(ours), next(bare)
        times = [(next(ours), next(bare)) for _ in range(REPEATS)]
    loop, step = (statistics.median(column) for column in zip(*times, strict=True))
    ratios = [a / b - 1 for a, b in times]
    print(
        f"bare step {1e3 * step / STEPS:.1f} ms, ours {1e3 * loop / STEPS:.1f} ms: overhead "
        f"{100 * statistics.median(ratios):+.1f} % (median of {REPEATS}, from "
        f"{100 * min(ratios):+.1f} to {100 * max(ratios):+.1f} %), "
        f"{torch.get_num_threads()} threads"
    )


def looped(source: MemorySource, folder: Path) -> tuple[Iterator[float], list[Batch]]:
    """Seconds for STEPS steps of our loop, each time it is asked; and batches of the same kind."""
    encoder, decoder = build(ENCODER), build(ENCODER.mirror())
    training = Training(Inversion(encoder, decoder, 1.0), RECIPE, Accelerator(cpu=True))
    run = Run(training, folder, {})
    dataset = crop_dataset(source, RECIPE, 0)
    batches = iter(load_batches(dataset, RECIPE, 0, training.accelerator))
    data = [next(batches) for _ in range(STEPS)]

    def times() -> Iterator[float]:
        while True:
            start = time.perf_counter()
            run.train(islice(batches, STEPS))
            yield time.perf_counter() - start

    return times(), data


def plain(data: list[Batch]) -> Iterator[float]:
    """Seconds for STEPS steps as one would write them down, batches at hand."""
    encoder, decoder = build(ENCODER).requires_grad_(False), build(ENCODER.mirror())
    optimizer = torch.optim.Adam(decoder.parameters(), lr=1e-3, fused=True)
    sizes = input_sizes(ENCODER, 64, 64)
    while True:
        start = time.perf_counter()
        for batch in data:
            photos = batch.pixels.float()
            with torch.no_grad():
                features = encoder(photos)
            loss = (decoder(features, sizes) - photos).square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield time.perf_counter() - start


if __name__ == "__main__":
    main()
