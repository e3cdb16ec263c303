"""Why: multiplying inserted zeros is three quarters of a DCN's work. What do we gain without it?

Our network against a plain PyTorch script written straight from the paper (zero insertion, then
conv2d; one image at a time), with the same weights, in inference mode, on the same threads:
Conv1-DeConv1 with its pooling, ReLU. Times are medians, taken in turns in one process; memory is
the peak RSS of a fresh process each. The plain script's FLOPs over our time, and the machine's own
peak (the best of a matmul and a 1×1 channels-last convolution), give the effective rate.

    python benchmarks/network_speed.py [--width 512] [--size 227] [--repeats 5]
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from preimage import build, trace, vgg16
from preimage.network.build import Network

clock = time.perf_counter


def plain_script(
    image: Tensor, weights: dict[str, Tensor], unpool: str, head: str = "conv"
) -> Tensor:
    """Conv1-DeConv1 as the paper describes it."""
    x = F.relu(F.conv2d(image, weights["conv1_1"], padding=1))
    x = F.relu(F.conv2d(x, weights["conv1_2"], padding=1))
    x = F.max_pool2d(x, 2, ceil_mode=True)
    if unpool == "zeros":
        up = torch.zeros(1, x.shape[1], 2 * x.shape[2], 2 * x.shape[3])
        up[:, :, ::2, ::2] = x
    else:
        up = F.interpolate(x, scale_factor=2.0, mode="nearest")
    x = F.relu(F.conv2d(up, weights["deconv1_2"], padding=1))
    x = x.mean(1, keepdim=True) if head == "mean" else F.conv2d(x, weights["deconv1_1"], padding=1)
    return x[:, :, : image.shape[2], : image.shape[3]]


def make(width: int, unpool: str) -> tuple[Network, dict[str, Tensor]]:
    encoder = vgg16().cut("conv1", pooled=True).with_width(width)
    network = build(encoder + encoder.mirror(unpool), "gaussian:0.1")  # type: ignore[arg-type]
    return network, {name: weight.detach().contiguous() for name, weight in network.weights.items()}


def seconds(function: Callable[[], object]) -> float:
    start = clock()
    function()
    return clock() - start


def machine_peak(repeats: int) -> float:
    """The best rate of a matmul and a 1×1 channels-last convolution, in FLOP/s."""
    a = torch.randn(2048, 2048)
    x = torch.randn(1, 512, 227, 227).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(512, 512, 1, 1)
    candidates = [
        (2 * 2048**3, lambda: a @ a),
        (2 * 512 * 512 * 227 * 227, lambda: F.conv2d(x, weight)),
    ]
    return max(
        flops / statistics.median(seconds(function) for _ in range(repeats + 1))
        for flops, function in candidates
    )


def peak_rss(which: str, width: int, size: int, unpool: str) -> float:
    """Of a fresh process that runs one pass; in MB."""
    command = [sys.executable, __file__, "--only", which, "--unpool", unpool]
    command += ["--width", str(width), "--size", str(size)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@torch.inference_mode()
def run_once(which: str, width: int, size: int, unpool: str) -> None:
    torch.manual_seed(0)
    image = 255 * torch.rand(1, 3, size, size)
    network, weights = make(width, unpool)
    if which == "ours":
        del weights
        network(image)
    else:
        del network
        plain_script(image, weights, unpool)
    print(own_peak_rss())


def own_peak_rss() -> float:
    """Of this process so far; in MB."""
    # Not getrusage: its maximum is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@torch.inference_mode()
def compare(width: int, size: int, unpool: str, repeats: int) -> None:
    torch.manual_seed(0)
    image = 255 * torch.rand(1, 3, size, size)
    network, weights = make(width, unpool)
    expected, got = plain_script(image, weights, unpool), network(image)
    error = float((got - expected).abs().max() / expected.abs().max())
    plain, ours, ratios = [], [], []
    for _ in range(repeats):
        plain.append(seconds(lambda: plain_script(image, weights, unpool)))
        ours.append(seconds(lambda: network(image)))
        ratios.append(plain[-1] / ours[-1])
    peak = machine_peak(repeats)
    flops = 2 * sum(step.multiply_adds for step in trace(network.description, size, size))
    rate = flops / statistics.median(ours)
    memory = [peak_rss(which, width, size, unpool) for which in ("plain", "ours")]
    print(
        f"width {width}, {size}×{size}, {unpool}: plain {statistics.median(plain):.3f} s, ours "
        f"{statistics.median(ours):.3f} s, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}, n = {repeats}); largest difference {error:.1e} "
        f"of the largest value; effective {rate / 1e9:.0f} GFLOP/s = {rate / peak:.2f} × the "
        f"machine's peak of {peak / 1e9:.0f}; peak RSS plain {memory[0]:.0f} MB, ours "
        f"{memory[1]:.0f} MB; {torch.get_num_threads()} threads, torch {torch.__version__}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--size", type=int, default=227)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--unpool", choices=("zeros", "nearest"))
    parser.add_argument("--only", choices=("plain", "ours"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        run_once(options.only, options.width, options.size, options.unpool)
    else:
        for kind in [options.unpool] if options.unpool else ["zeros", "nearest"]:
            compare(options.width, options.size, kind, options.repeats)
