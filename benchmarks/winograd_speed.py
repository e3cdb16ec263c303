"""Why: does the rule that sends a convolution through Winograd's algorithm fit this machine?

Each layer alone, C channels to C, plain over Winograd, by the CPU time of one thread, medians in
turns in one process; an asterisk where `winograd` is chosen here. The last line sums up what the
rule gains over plain convolutions, and what it loses against the best choice for each layer.

    python benchmarks/winograd_speed.py [--sizes 57] [--channels 32 64 128 256 512] [--repeats 5]

A lesser processor can be tried on a better one: ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2
MKL_ENABLE_INSTRUCTIONS=AVX2 before the command.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from preimage.network import layers, winograd
from preimage.network.operations import Conv, Unpool

clock = time.thread_time


def seconds(function: Callable[[], object]) -> float:
    start = clock()
    function()
    return clock() - start


def in_turns(
    plain: Callable[[], object], fast: Callable[[], object], repeats: int
) -> tuple[float, float]:
    plain(), fast()
    times = [(seconds(plain), seconds(fast)) for _ in range(repeats)]
    return tuple(map(statistics.median, zip(*times, strict=True)))


@torch.inference_mode()
def measure(
    channels: int, size: int, unpool: str | None, repeats: int
) -> tuple[float, float, bool]:
    """Seconds of the plain form, seconds of Winograd's, and whether the rule takes Winograd's."""
    conv = Conv("c", channels)
    x = torch.rand(1, channels, size, size).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3).contiguous(memory_format=torch.channels_last)
    if unpool is None:
        plain, fast = in_turns(
            lambda: layers.convolve(x, weight, None, conv),
            lambda: winograd.convolve(x, weight, None, conv),
            repeats,
        )
        return plain, fast, winograd.convolve_is_faster(x, conv)
    op, out = Unpool("u", unpool), (2 * size, 2 * size)  # type: ignore[arg-type]

    def run(of: object) -> Tensor:
        return of.unpool_convolve(x, weight, None, op, conv, out)  # type: ignore[attr-defined, no-any-return]

    plain, fast = in_turns(lambda: run(layers), lambda: run(winograd), repeats)
    return plain, fast, winograd.unpool_convolve_is_faster(x, op, conv, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[57])
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 64, 128, 256, 512])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}, one thread")
    gains, losses = [], []
    for size in options.sizes:
        for unpool in (None, "zeros", "nearest"):
            cells = []
            for channels in options.channels:
                plain, fast, taken = measure(channels, size, unpool, options.repeats)
                cells.append(f"{channels}: {plain / fast:.2f}{'*' if taken else ''}")
                chosen = fast if taken else plain
                gains.append(plain / chosen)
                losses.append(chosen / min(plain, fast))
            print(f"{size}×{size} {unpool or 'plain'}: " + "  ".join(cells), flush=True)
    print(
        f"the rule: {statistics.geometric_mean(gains):.2f} times as fast as plain convolutions "
        f"(at worst {min(gains):.2f}); {statistics.geometric_mean(losses):.2f} times the time of "
        f"the best choice (at worst {max(losses):.2f})"
    )


if __name__ == "__main__":
    main()
