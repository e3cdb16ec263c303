"""Why: "same seed, same numbers" is a promise; this measures over what it holds, and how far.

Each kind of computation runs in processes with other numbers of threads, other instruction sets
and other batch sizes; their numbers are compared with those of one thread, bit by bit and by their
largest difference.

    python benchmarks/determinism.py [--out FILE.md] [--python OTHER/bin/python ...]

`--python` names interpreters of environments with other versions of torch, which compute too.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

Numbers = dict[str, Tensor]


def photos(count: int, side: int) -> Tensor:
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    whole = nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return (255 * whole).round()


def weights(batch: int) -> Numbers:
    from preimage import build, vgg16

    return dict(build(vgg16().with_width(16).cut("conv3"), seed=3).state_dict())


def features(batch: int) -> Numbers:
    from preimage import build, vgg16

    network = build(vgg16().with_width(16).cut("conv3"), seed=3)
    parts = torch.split(photos(8, 64), batch)
    with torch.no_grad():
        return {"features": torch.cat([network(part) for part in parts])}


def pair(batch: int) -> Numbers:
    from preimage import reconstruct

    found = reconstruct(list(photos(4, 64)), layer="conv3", width=16, seed=3)
    return {"output": torch.stack([x.colour for x in found])}


def limit_(batch: int) -> Numbers:
    from preimage import architecture
    from preimage.network.limit import limit

    encoder = architecture("vgg16").with_pool("avg").with_width(16).cut("conv2")
    description = encoder + encoder.mirror("nearest").with_mean_head()
    return {"limit": limit(description, photos(1, 48))}


def least_squares(batch: int) -> Numbers:
    from preimage import build, fit_least_squares, vgg16

    encoder = build(vgg16().with_width(16).cut("conv2"), seed=3)
    decoder = fit_least_squares(encoder, torch.split(photos(24, 64), batch), window=3)
    return dict(decoder.state_dict())


def probed(batch: int) -> Numbers:
    from preimage.probing import RAW, probe

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 4, 4), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1))
    found = probe(model, photos(24, 64), ["1", "2"], preprocessing=RAW, twins=2, batch_size=batch)
    return {x.name: torch.tensor([x.trained, *x.twins], dtype=torch.float64) for x in found.layers}


def training(batch: int) -> Numbers:
    from PIL import Image

    from preimage.decoders.options import (
        DataOptions,
        DecoderOptions,
        EncoderOptions,
        MachineOptions,
    )
    from preimage.decoders.recipes import DECODER_RECIPES
    from preimage.decoders.train import train_decoder
    from preimage.network.spec import EncoderSpec

    with tempfile.TemporaryDirectory() as folder:
        for index, photo in enumerate(photos(8, 64).byte()):
            Image.fromarray(photo.permute(1, 2, 0).numpy()).save(f"{folder}/{index}.png")
        recipe = DECODER_RECIPES["quick"].changed(steps=20, batch_size=4, crop=32, precision="fp32")
        encoder = EncoderOptions(spec=EncoderSpec(layer="conv2", width=8, slope=0.2))
        machine = MachineOptions(device="cpu", workers=0)
        data = DataOptions(data=folder)
        made = train_decoder(encoder, DecoderOptions(), data, recipe, f"{folder}/out", machine)
        assert made is not None
        return dict(made.decoder.state_dict())


KINDS: dict[str, Callable[[int], Numbers]] = {
    "random weights": weights,
    "features": features,
    "random CNN-DCN": pair,
    "infinite-width limit": limit_,
    "least-squares decoder": least_squares,
    "probe, PSNR": probed,
    "DCN after 20 steps": training,
}


@dataclass(frozen=True)
class Setting:
    """How a process computes."""

    name: str
    threads: int = 1
    batch: int = 4
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable


def settings(interpreters: list[str]) -> Iterator[Setting]:
    yield Setting("again")
    for threads in (2, 4):
        yield Setting(f"{threads} threads", threads)
    for batch in (2, 8):
        yield Setting(f"batches of {batch}", 1, batch)
    here = torch.backends.cpu.get_cpu_capability().lower()
    for name in ("default", "avx2", "avx512"):
        if name != here and not (name == "avx512" and here == "avx2"):
            isa = {"default": "SSE41", "avx2": "AVX2", "avx512": "AVX512_CORE"}[name]
            limits = {"ATEN_CPU_CAPABILITY": name, "ONEDNN_MAX_CPU_ISA": isa}
            mkl = {"default": "SSE4_2", "avx2": "AVX2", "avx512": "AVX512"}[name]
            yield Setting(name.upper(), environment={**limits, "MKL_ENABLE_INSTRUCTIONS": mkl})
    for python in interpreters:
        ask = [python, "-c", "import torch; print(torch.__version__.split('+')[0])"]
        version = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
        yield Setting(f"torch {version}", python=python)


def compute(kind: str, setting: Setting, folder: Path) -> Numbers:
    path = folder / "numbers.safetensors"
    words = [setting.python, __file__, "--kind", kind, "--batch", str(setting.batch)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(setting.threads), **setting.environment}
    subprocess.run([*words, "--numbers", str(path)], env=environment, check=True)
    return load_file(path)


def compared(found: Numbers, expected: Numbers) -> str:
    """Bit for bit, or the largest difference over the largest value."""
    if all(torch.equal(found[name], expected[name]) for name in expected):
        return "same bits"
    worst = max(
        float((found[name].double() - value.double()).abs().max() / value.double().abs().max())
        for name, value in expected.items()
        if value.numel() and value.abs().max() > 0
    )
    return f"{worst:.0e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--python", nargs="*", default=[], metavar="PATH")
    parser.add_argument("--kind")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--numbers")
    words = parser.parse_args()
    if words.kind:
        found = KINDS[words.kind](words.batch)
        save_file({k: v.detach().contiguous() for k, v in found.items()}, words.numbers)
        return
    columns = list(settings(words.python))
    lines = [
        "# Same seed, same numbers: over what?",
        "",
        f"`python benchmarks/determinism.py`, torch {torch.__version__}, {platform.machine()} with "
        f"{torch.backends.cpu.get_cpu_capability()}. Against one thread and batches of 4: the same "
        "bits, or the largest difference as a share of the largest value.",
        "",
        "| | " + " | ".join(setting.name for setting in columns) + " |",
        "| --- | " + " | ".join("---" for _ in columns) + " |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            base = compute(kind, Setting("one thread"), Path(folder))
            cells = [compared(compute(kind, s, Path(folder)), base) for s in columns]
            lines.append(f"| {kind} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    print(text)
    if words.out:
        words.out.write_text(text)


if __name__ == "__main__":
    main()
