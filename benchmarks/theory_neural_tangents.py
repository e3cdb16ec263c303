"""The same limit by google/neural-tangents: agreement, time and peak memory at growing sizes.

Conv, ReLU, average pooling 2 × 2, conv, ReLU; the variance of each pixel's features. There
neural-tangents carries the covariance of every pair of pixels, size⁴ numbers (it refuses
`diagonal_spatial` where a pool stands between), this package the offsets that the pool mixes. It
needs an environment of its own (it runs on jax 0.4.30 to 0.5.3):

    python -m venv /tmp/nt && /tmp/nt/bin/pip install jax==0.4.30 "numpy<2.2" frozendict
    /tmp/nt/bin/pip install --no-deps neural-tangents==0.6.5
    python benchmarks/theory_neural_tangents.py --peer /tmp/nt/bin/python

Every number comes from a fresh process. The peer's time is that of its second call, once it has
compiled (of its first, where that took over a minute); ours the best of three. Memory is the peak
above that after imports, 0.1 MB where we stayed below it. Both interpreters run this file, with
`--side`.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import types
from typing import Any

import numpy as np

SIZES = (16, 24, 32, 48, 64, 96, 128, 160)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="the interpreter that has neural-tangents")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--side", choices=["ours", "theirs"], help="one measurement, as JSON")
    parser.add_argument("--size", type=int, default=16)
    args = parser.parse_args()
    if args.side:
        print(json.dumps((ours if args.side == "ours" else theirs)(args.size)))
        return
    print("| size | ours, s | theirs, s | ratio | ours, MB | theirs, MB | ratio | difference |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for size in args.sizes:
        us, them = measure(sys.executable, "ours", size), measure(args.peer, "theirs", size)
        print(row(size, us, them), flush=True)


def measure(python: str, side: str, size: int) -> dict[str, Any] | None:
    command = [python, __file__, "--side", side, "--size", str(size)]
    found = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return json.loads(found.stdout.splitlines()[-1]) if found.returncode == 0 else None


def row(size: int, us: dict[str, Any] | None, them: dict[str, Any] | None) -> str:
    assert us is not None
    cells = [f"{size}", f"{us['seconds']:.4f}"]
    if them is None:
        return (
            "| " + " | ".join([*cells, "failed", "", f"{us['megabytes']:.1f}", "", "", ""]) + " |"
        )
    difference = np.abs(np.divide(us["values"], them["values"]) - 1).max()
    cells += [f"{them['seconds']:.3f}", f"{them['seconds'] / us['seconds']:.0f}"]
    cells += [f"{us['megabytes']:.1f}", f"{them['megabytes']:.0f}"]
    cells += [f"{them['megabytes'] / us['megabytes']:.0f}", f"{difference:.1e}"]
    return "| " + " | ".join(cells) + " |"


def image(size: int) -> np.ndarray:
    return np.random.default_rng(0).random((1, size, size, 3)).astype(np.float32)


def ours(size: int) -> dict[str, Any]:
    import torch

    from preimage import Conv, Description, Pool
    from preimage.network.operations import ChannelMean
    from preimage.theory import energies

    ops = (Conv("a", 64), Pool("p", "avg"), Conv("b", 64), ChannelMean())
    network = Description("conv, pool, conv", ops).with_normalisation()
    x = torch.from_numpy(image(size)).permute(0, 3, 1, 2)
    energies(network, x[..., :8, :8])  # what is imported and allocated once
    before, seconds = peak(), []
    for _ in range(3):
        start = time.perf_counter()
        u = energies(network, x, "gaussian:1")[1][0]
        seconds.append(time.perf_counter() - start)
    # The variance of each feature behind conv b is k_2 u, and the peer has means for our sums.
    return {
        "seconds": min(seconds),
        "megabytes": max(peak() - before, 0.1),
        "values": (u / 2 / (3 * 9 * 9)).flatten().tolist(),
    }


def theirs(size: int) -> dict[str, Any]:
    # What this size needs beyond 16 GB counts as failed, and spares the machine.
    resource.setrlimit(resource.RLIMIT_DATA, (16 * 2**30, 16 * 2**30))
    # Not needed here, and it imports TensorFlow's datasets.
    sys.modules["neural_tangents.experimental"] = types.ModuleType("experimental")
    from neural_tangents import stax

    options = {"W_std": 1.0, "b_std": None, "padding": "SAME", "parameterization": "standard"}
    _, _, kernel = stax.serial(
        stax.Conv(1, (3, 3), **options),
        stax.Relu(),
        stax.AvgPool((2, 2), strides=(2, 2)),
        stax.Conv(1, (3, 3), **options),
        stax.Relu(),
    )
    import jax

    def variances(x: Any) -> Any:
        covariances = kernel(x, None, get="nngp")[0, 0]  # (h, h, w, w): all it can give here
        return jax.numpy.einsum("hhww->hw", covariances)

    x = image(size)
    before, seconds = peak(), []
    run = jax.jit(variances)
    for _ in range(2):
        start = time.perf_counter()
        found = np.asarray(run(x))
        seconds.append(time.perf_counter() - start)
        if seconds[0] > 60:  # compiling took a second or two of it
            break
    return {"seconds": seconds[-1], "megabytes": peak() - before, "values": found.ravel().tolist()}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
