"""Random networks of several widths, with a channel mean or a convolution last.

    python examples/sweep.py [PHOTOS]

The cells that are finished stay in the folder `sweep`, so that the same command goes on from there.
"""

import sys

from preimage import plot
from preimage.sweeps.grid import Execution, SweepConfig
from preimage.sweeps.run import run_sweep


def main(photos: str | None) -> None:
    grid = SweepConfig(
        layer=("conv1",),
        pooled=True,
        pool=("avg",),
        unpool=("nearest",),
        width=(2, 8, 32),
        head=("conv", "mean"),
        networks=2,
        size=40,
    )
    results = run_sweep(grid.cells(), photos, "sweep", Execution())
    print(results)
    for label, line in results.levels("width", "pearson", absolute=True).items():
        for width, interval in line.items():
            print(f"{label}, width {width}: |r| {interval:.2f}")
    plot.by_width(results, "pearson", absolute=True).savefig("sweep.png", dpi=120)
    results.to_frame().to_csv("sweep.csv", index=False)


if __name__ == "__main__":  # the worker processes import this file
    main(*sys.argv[1:] or [None])
