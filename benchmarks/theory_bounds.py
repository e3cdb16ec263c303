"""Bounds over measured angles: how much each theorem gives away, on a real photo.

The photo is scikit-image's astronaut, its central 24 × 24 pixels at a side of 227. Gaussian;
quantiles are of `--networks` networks at each width.

    python benchmarks/theory_bounds.py [--networks 200]
"""

import argparse

import skimage.data
import torch
import torch.nn.functional as F

from preimage.paper.angle_theorems import CROP
from preimage.paper.angles import AngleCurves, angle_curves, centre, conv1, two_layers
from preimage.paper.kernel_theorem import KERNEL_SIZES, kernel_curve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=200)
    args = parser.parse_args()
    torch.set_num_threads(1)
    photo = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None].float() / 255
    photo = F.interpolate(photo, (227, 227), mode="bicubic", antialias=True).clamp(0, 1)
    crop = centre(photo, CROP).double()
    for title, net in (("conv, mean", two_layers()), ("Conv1-DeConv1, l2", conv1("zeros"))):
        print(table(angle_curves(title, net, crop, (32, 128, 512), args.networks, 0.05, 0)))
    kernels = kernel_curve(photo, KERNEL_SIZES)
    print("| kernel | cos Φ | bound with route counts | Theorem 5.4 |\n| --- | --- | --- | --- |")
    for row in zip(
        kernels.kernel_sizes,
        kernels.cosine,
        kernels.corrected_bound,
        kernels.printed_bound,
        strict=True,
    ):
        print(f"| {row[0]} | {row[1]:.4f} | {row[2]:.4f} | {row[3]:.4f} |")


def table(curves: AngleCurves) -> str:
    measured = curves.top
    stated = {name: bound.values for name, bound in curves.bounds.items()} | curves.predictions
    names = list(stated)
    lines = [
        f"**{curves.title}**: exponent of the root mean square {curves.exponent:.3f} (95 %).\n",
        "| width | measured 95 % quantile | "
        + " | ".join(f"{name} (over measured)" for name in names)
        + " |",
        "| --- | --- |" + " --- |" * len(names),
    ]
    for index, width in enumerate(curves.widths):
        cells = []
        for name in names:
            value = stated[name][index]
            cells.append(f"{value:.3f} ({value / measured[index]:.1f}×)")
        lines.append(f"| {width} | {measured[index]:.4f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
