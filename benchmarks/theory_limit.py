"""What the exact limit costs: seconds and peak memory, each case in a process of its own.

Peak memory of a process never falls, so cases can't share one. The baseline is the peak after the
imports and with the photo loaded. The photo is scikit-image's astronaut, resized.

    python benchmarks/theory_limit.py [--threads 2] [--repeats 3]
"""

import argparse
import json
import resource
import subprocess
import sys
import time

CASES = {  # layer, with the pool behind it, side of the photo
    "conv1": ("conv1", True, 227),
    "conv3": ("conv3", False, 227),
    "conv5": ("conv5", False, 227),
    "conv5 pooled": ("conv5", True, 227),
    "conv3 at 1024": ("conv3", False, 1024),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--case", choices=CASES, help="one case, in this process, as JSON")
    parser.add_argument("--dtype", default="float64", choices=["float64", "float32"])
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(args.case, args.dtype, args.threads, args.repeats)))
        return
    print("| network | photo | offsets | dtype | seconds | MB above baseline | error |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for case in CASES:
        for dtype in ("float64", "float32"):
            print(table_row(case, dtype, args.threads, args.repeats), flush=True)


def table_row(case: str, dtype: str, threads: int, repeats: int) -> str:
    command = [sys.executable, __file__, "--case", case, "--dtype", dtype]
    command += ["--threads", str(threads), "--repeats", str(repeats)]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    error = f"{found['error']:.1e}" if dtype == "float32" else ""
    side = CASES[case][2]
    return (
        f"| {case} | {side}×{side} | {found['offsets']} | {dtype} | {found['seconds']:.2f} | "
        f"{found['megabytes']:.0f} | {error} |"
    )


def run(case: str, dtype: str, threads: int, repeats: int) -> dict[str, float]:
    import skimage.data
    import torch
    import torch.nn.functional as F

    from preimage import vgg16
    from preimage.network.limit.offsets import backward_pass
    from preimage.theory import limit

    torch.set_num_threads(threads)
    layer, pooled, side = CASES[case]
    encoder = vgg16().cut(layer, pooled=pooled).with_pool("avg")
    network = (encoder + encoder.mirror("nearest")).with_mean_head().with_normalisation()
    photo = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None].float() / 255
    photo = F.interpolate(photo, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
    before = peak()
    start = time.perf_counter()
    f = limit(network, photo, "gaussian:0.015", dtype=getattr(torch, dtype))
    first = time.perf_counter() - start
    megabytes = peak() - before
    seconds = [first]
    for _ in range(repeats - 1):
        start = time.perf_counter()
        limit(network, photo, "gaussian:0.015", dtype=getattr(torch, dtype))
        seconds.append(time.perf_counter() - start)
    error = 0.0
    if dtype == "float32":
        exact = limit(network, photo, "gaussian:0.015")
        error = float(((f - exact).abs() / exact.clamp(min=1e-300)).max())  # 0/0 where it is black
    offsets = max(len(stage.needed) for stage in backward_pass(network, side, side).hidden)
    return {
        "seconds": min(seconds),
        "first": first,
        "megabytes": megabytes,
        "error": error,
        "offsets": offsets,
    }


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
