"""Why: a study is thousands of trials. How long does one take against a plain script's?

A trial is one random network, Conv1-DeConv1 with its pooling, the channel-mean head and zeros
unpooling, and what it makes of a few photos, scores and all. The plain script loops over the
photos, inserts zeros, calls conv2d and scores by scikit-image, with the same weights, in inference
mode, on the same threads. Both draw their weights. They take turns, the plain script in this
process and ours as a job of a sweep, in a worker of its own, which says how long the job took. The
machine's own peak is measured in between; numbers are medians over the turns. The plain script's
FLOPs over our time give the effective rate.

    python benchmarks/sweep_speed.py [--widths 32 128 512] [--photos 4] [--repeats 5] [--cpu-time]
    python benchmarks/sweep_speed.py --memory [--width 2048]
"""

import argparse
import statistics
import subprocess
import sys
import time

import network_speed
import numpy as np
import torch
from network_speed import machine_peak, own_peak_rss, plain_script, seconds
from skimage.metrics import structural_similarity

from preimage import trace
from preimage.data.freed_memory import keep_freed_memory
from preimage.data.photo import Photo, embedded_photos
from preimage.network.laws import Law, stream
from preimage.network.spec import ReconstructConfig
from preimage.sweeps.jobs import JobResult, run_job
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.workers import ProcessExecutor

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
SCORES = ("ssim", "pearson", "mse")


def config_of(width: int, size: int) -> ReconstructConfig:
    return ReconstructConfig(layer="conv1", pooled=True, width=width, head="mean", size=size)


def plain_trial(config: ReconstructConfig, photos: list[Photo]) -> list[tuple[float, ...]]:
    weights, channels = {}, 3
    for name in ("conv1_1", "conv1_2", "deconv1_2"):
        generator = stream(config.seed, config.network_number, name)
        shape = (config.width or 0, channels, 3, 3)
        weights[name] = Law.parse(config.weights).sample(shape, generator)
        channels = shape[0]
    scores = []
    for photo in photos:
        output = plain_script(photo.pixels[None], weights, config.unpool, config.head)
        scores.append(plain_scores(photo.pixels.numpy(), output[0, 0].numpy()))
    return scores


def plain_scores(photo: np.ndarray, output: np.ndarray) -> tuple[float, ...]:
    """The grey scoring convention (SSIM, Pearson's r, mean squared error) with scikit-image."""
    x, y = stretched(np.tensordot(LUMA, photo, 1)), stretched(output)
    if ssim(x, y) < 0:
        y = 1 - y
    r = np.corrcoef(x.ravel(), output.ravel())[0, 1]
    return ssim(x, y), float(r), float(((x - y) ** 2).mean())


def stretched(plane: np.ndarray) -> np.ndarray:
    result: np.ndarray = (plane - plane.min()) / (plane.max() - plane.min())
    return result


def ssim(x: np.ndarray, y: np.ndarray) -> float:
    score = structural_similarity(
        x, y, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return float(score)


def our_trial(worker: ProcessExecutor, config: ReconstructConfig, photos: list[Photo]) -> JobResult:
    job = (run_job, (config,), PackedPhotos.pack(photos), torch.get_num_threads())
    return worker.submit(*job).result()


@torch.inference_mode()
def compare(width: int, size: int, count: int, repeats: int, clock: str) -> None:
    config, photos = config_of(width, size), embedded_photos(size)[:count]
    flops = 2 * len(photos) * sum(s.multiply_adds for s in trace(config.network(), size, size))
    plain, ours, ratios, peaks, over_peak = [], [], [], [], []
    with ProcessExecutor(1) as worker:
        expected = plain_trial(config, photos)
        got = [[row[s] for s in SCORES] for row in our_trial(worker, config, photos).rows[0]]
        error = float(np.abs(np.array(got) - np.array(expected)).max())
        for _ in range(repeats):
            plain.append(seconds(lambda: plain_trial(config, photos)))
            ours.append(our_trial(worker, config, photos).run[clock])
            peaks.append(machine_peak(3))
            ratios.append(plain[-1] / ours[-1])
            over_peak.append(flops / ours[-1] / peaks[-1])
    print(
        f"width {width}, {size}×{size}, {len(photos)} photos: plain "
        f"{statistics.median(plain):.3f} s, ours {statistics.median(ours):.3f} s, ratio "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, n = {repeats}); "
        f"effective {flops / statistics.median(ours) / 1e9:.0f} GFLOP/s = "
        f"{statistics.median(over_peak):.2f} ({min(over_peak):.2f} to {max(over_peak):.2f}) × the "
        f"machine's peak of {statistics.median(peaks) / 1e9:.0f}; largest difference of a score "
        f"{error:.1e}; {torch.get_num_threads()} threads, torch {torch.__version__}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 128, 512])
    parser.add_argument("--size", type=int, default=227)
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--cpu-time", action="store_true", help="one thread, by its CPU time: for a busy machine"
    )
    parser.add_argument("--memory", action="store_true", help="peak RSS of a wide trial instead")
    parser.add_argument("--width", type=int, default=2048, help="of that trial")
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    clock = "core_seconds" if options.cpu_time else "seconds"
    if options.cpu_time:
        torch.set_num_threads(1)
        network_speed.clock = time.process_time
    if options.only:
        config, photos = config_of(options.width, options.size), embedded_photos(options.size)[:1]
        keep_freed_memory()  # as a worker does
        took = run_job((config,), PackedPhotos.pack(photos), torch.get_num_threads()).run["seconds"]
        print(f"width {options.width}: peak RSS {own_peak_rss():.0f} MB, {took:.1f} s")
    elif options.memory:
        command = [sys.executable, __file__, "--only", "--width", str(options.width)]
        subprocess.run([*command, "--size", str(options.size)], check=True)
    else:
        for width in options.widths:
            compare(width, options.size, options.photos, options.repeats, clock)


if __name__ == "__main__":
    main()
