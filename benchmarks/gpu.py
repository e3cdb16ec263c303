"""Why: CI has no GPU. Does a GPU give the CPU's numbers, and how much sooner?

Each row computes one thing on the CPU and on the GPU, with the same weights on the same photos: the
largest difference, and the largest that passes. Features are held against float64, and computed as
torch would by itself, too, in TF32. Then the seconds that one network of a sweep takes on either.
Ends with code 1 where a difference is too large.

    python benchmarks/gpu.py [--widths 64 512 2048]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

from preimage import Inverter, build, embedded_photos, evaluate, fit_least_squares
from preimage.decoders.evaluate import mean_image
from preimage.decoders.options import DecoderOptions, MachineOptions
from preimage.decoders.recipes import DECODER_RECIPES
from preimage.decoders.train import train_decoder
from preimage.network.spec import DeviceName, NetworkConfig, ReconstructConfig
from preimage.probing import RAW, layer_encoder
from preimage.sweeps.jobs import JobResult, run_job
from preimage.sweeps.photos import PackedPhotos

Row = tuple[str, float, float | None]  # what, the difference, and the largest that passes
DEVICES: tuple[DeviceName, DeviceName] = ("cpu", "cuda")


def relative(found: Tensor, expected: Tensor) -> float:
    """|found − expected| / |expected|, whatever device they are on."""
    found, expected = found.double().cpu(), expected.double().cpu()
    return float((found - expected).norm() / expected.norm())


@torch.no_grad()
def features(photos: Tensor) -> Iterator[Row]:
    """Random VGG16's features against float64."""
    for layer, width in (("conv1", 1.0), ("conv4", 0.25)):
        spec = NetworkConfig(layer=layer, width_factor=width).encoder()
        exact, network = build(spec, dtype=torch.float64)(photos.double()), build(spec)
        name = f"features of {spec.name} × {width:g}"
        yield f"{name}, CPU", relative(network(photos), exact), 1e-5
        yield f"{name}, GPU", relative(network.to("cuda")(photos.cuda()), exact), 1e-5
        # In train mode a network without batch normalisation differs in its precision only.
        yield f"{name}, GPU, TF32", relative(network.train()(photos.cuda()), exact), None


def jobs(device: DeviceName, photos: PackedPhotos, width: int) -> JobResult:
    """The four networks that Figure 8 has of one width and number."""
    configs = [
        ReconstructConfig(
            layer="conv1",
            pooled=True,
            width=width,
            unpool=unpool,
            head=head,
            weights="gaussian:0.1",
            device=device,
        )
        for unpool in ("zeros", "nearest")
        for head in ("conv", "mean")
    ]
    return run_job(tuple(configs), photos, torch.get_num_threads())


def scores(photos: PackedPhotos) -> Iterator[Row]:
    """SSIM and r of what random DCNs make of photos."""
    cpu, gpu = ([row for rows in jobs(d, photos, 64).rows for row in rows] for d in DEVICES)
    for metric in ("ssim", "pearson"):
        worst = max(abs(a[metric] - b[metric]) for a, b in zip(cpu, gpu, strict=True))
        yield f"{metric} of random reconstructions", worst, 1e-5


def fits(photos: Tensor) -> Iterator[Row]:
    """Least-squares decoders, of a random network and of a layer of a module."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 48, 4, stride=4), nn.ReLU(), nn.Conv2d(48, 48, 3)).eval()
    for name, encoder in (
        ("VGG16 conv2 × 0.25", build(NetworkConfig(layer="conv2", width_factor=0.25).encoder())),
        ("a module's layer", layer_encoder(module, "2", RAW)),
    ):
        found = []
        for device in DEVICES:
            there = deepcopy(encoder).to(device)
            decoder = fit_least_squares(there, [photos.to(device)], ridges=(1e-5,)).to(device)
            found.append(Inverter(there, {}, decoder)(photos).clamp(0, 255))
        yield f"photos by least squares from {name}", relative(found[1], found[0]), 1e-3


def evaluations(photos: Tensor) -> Iterator[Row]:
    """All that `evaluate` gives for one decoder."""
    encoder = build(NetworkConfig(layer="conv2", width_factor=0.25).encoder())
    inverter = Inverter(encoder, {}, fit_least_squares(encoder, [photos]))
    found = [evaluate(inverter.to(torch.device(d)), photos, mean_image(photos)) for d in DEVICES]
    for name, cpu in found[0].items():
        worst = max(relative(getattr(found[1][name], m), getattr(cpu, m)) for m in ("mse", "ssim"))
        yield f"evaluate: {name}", worst, 1e-4
        errors = found[1][name].feature_error, cpu.feature_error
        yield f"evaluate: {name}, its features", float((errors[0] - errors[1]).abs().max()), 1e-4


def trainings(photos: Tensor) -> Iterator[Row]:
    """A DCN after twenty steps, which rounding drives apart; torch's TF32 here."""
    recipe = replace(DECODER_RECIPES["quick"], steps=20, crop=64, batch_size=4, precision="fp32")
    found = []
    for device in DEVICES:
        with tempfile.TemporaryDirectory() as folder:
            encoder = build(NetworkConfig(layer="conv2", width_factor=0.25).encoder())
            machine = MachineOptions(device=device)
            trained = train_decoder(
                encoder, DecoderOptions(), photos.byte(), recipe, Path(folder) / "run", machine
            )
            assert trained is not None
            found.append(trained.to(torch.device("cpu"))(photos))
    yield "photos by a DCN of 20 steps", relative(found[1], found[0]), 0.05


def times(widths: list[int], photos: PackedPhotos) -> None:
    """Seconds of one network of Figure 8, medians of three."""
    print("\n| width | CPU (s) | GPU (s) | ratio |\n| --- | --- | --- | --- |")
    for width in widths:
        seconds = {}
        for device in DEVICES:
            jobs(device, photos, width)
            repeats = []
            for _ in range(3):
                start = time.perf_counter()
                jobs(device, photos, width)
                repeats.append(time.perf_counter() - start)
            seconds[device] = median(repeats)
        ratio = seconds["cpu"] / seconds["cuda"]
        print(f"| {width} | {seconds['cpu']:.2f} | {seconds['cuda']:.2f} | {ratio:.1f} |")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--widths", type=int, nargs="*", default=[64, 512])
    widths = parser.parse_args().widths
    if not torch.cuda.is_available():
        print("torch sees no GPU here.", file=sys.stderr)
        return 2
    threads = torch.get_num_threads()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {threads} CPU threads.\n")
    loaded = embedded_photos(227)
    photos, packed = torch.stack([photo.pixels for photo in loaded]), PackedPhotos.pack(loaded)
    print("| what | difference | passes below |\n| --- | --- | --- |")
    failed = 0
    for rows in (
        features(photos),
        scores(packed),
        fits(photos),
        evaluations(photos),
        trainings(photos),
    ):
        for what, difference, bar in rows:
            passed = bar is None or difference <= bar
            failed += not passed
            limit = (
                "not judged" if bar is None else f"{bar:g}" if passed else f"**{bar:g}: too large**"
            )
            print(f"| {what} | {difference:.1e} | {limit} |", flush=True)
    times(widths, packed)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
