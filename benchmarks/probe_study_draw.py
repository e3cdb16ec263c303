"""The picture of docs/probe.md: what training changed over depth, and the levels behind it."""

from collections.abc import Mapping
from statistics import fmean, stdev
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.paper.draw import COLOURS

Findings = Mapping[str, Any]
NAMES = {
    "squeezenet1_0": "SqueezeNet 1.0",
    "mobilenet_v1_0.5_160": "MobileNetV1 0.5",
    "mobilenet_v1_0.75_192": "MobileNetV1 0.75",
    "mobilenet_v2_imagenet": "MobileNetV2, ImageNet",
    "mobilenet_v2_inat_bird": "MobileNetV2, birds",
    "mobilenet_v2_inat_insect": "MobileNetV2, insects",
    "resnet20_cifar10": "ResNet-20, CIFAR-10",
    "resnet32_cifar10": "ResNet-32, CIFAR-10",
    "resnet44_cifar10": "ResNet-44, CIFAR-10",
    "resnet56_cifar10": "ResNet-56, CIFAR-10",
}


def picture(findings: Findings) -> Figure:
    """Differences over depth, one panel per family; PSNR with floors and ceiling below."""
    figure = Figure(figsize=(13.5, 8.6), layout="constrained")
    axes = figure.subplots(2, 3)
    networks = findings["networks"]
    groups = {
        "ImageNet": ["squeezenet1_0", "mobilenet_v1_0.5_160", "mobilenet_v1_0.75_192"],
        "three objectives": [n for n in networks if "mobilenet_v2" in n],
        "CIFAR-10": [n for n in networks if n.startswith("resnet")],
    }
    groups["ImageNet"].append("mobilenet_v2_imagenet")
    for axis, (title, names) in zip(axes[0], groups.items(), strict=True):
        _differences(axis, {name: networks[name] for name in names}, title)
    limits = [axis.get_ylim() for axis in axes[0]]
    for axis in axes[0]:
        axis.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    for axis, name in zip(
        axes[1], ("squeezenet1_0", "mobilenet_v2_imagenet", "resnet56_cifar10"), strict=True
    ):
        _levels(axis, networks[name], NAMES[name])
    axes[0][0].set_ylabel("trained minus twins, PSNR in dB")
    axes[1][0].set_ylabel("PSNR in dB")
    return figure


def _differences(axis: Axes, networks: Mapping[str, Findings], title: str) -> None:
    axis.axhline(0, color="0.3", linewidth=0.8)
    for index, (name, network) in enumerate(networks.items()):
        found = [layer["twins"][network["main"]] for layer in network["layers"]]
        xs = [i + 0.08 * (index - (len(networks) - 1) / 2) for i in range(1, len(found) + 1)]
        axis.errorbar(
            xs,
            [cell["difference"] for cell in found],
            [max(cell["over_draws"], cell["over_photos"]) for cell in found],
            fmt="o-",
            markersize=4,
            linewidth=1,
            capsize=2,
            color=COLOURS[index],
            label=f"{NAMES[name]} (twins {network['main']})",
        )
    axis.set_title(f"What training changed: {title}", fontsize=10)
    _finish(axis, len(found))


def _levels(axis: Axes, network: Findings, title: str) -> None:
    rows = network["layers"]
    xs = list(range(1, len(rows) + 1))
    trained = [row["trained"] for row in rows]
    means, widths = [mean for mean, _ in trained], [half for _, half in trained]
    axis.errorbar(xs, means, widths, fmt="o-", color=COLOURS[0], capsize=2, label="trained")
    for index, kind in enumerate(rows[0]["twins"], start=1):
        values = [row["twins"][kind]["psnr"] for row in rows]
        means, spreads = [fmean(v) for v in values], [stdev(v) for v in values]
        label = f"twins, {kind}: mean ± s of {len(values[0])} draws"
        axis.errorbar(xs, means, spreads, fmt="s--", color=COLOURS[index], capsize=2, label=label)
    axis.plot(
        xs, [row["bicubic"] for row in rows], ":", color="0.35", label="bicubic at the stride"
    )
    limited = [(x, row["ceiling"]) for x, row in zip(xs, rows, strict=True) if row["ceiling"]]
    if limited:
        axis.plot(*zip(*limited, strict=True), "v", color="0.35", label="ceiling of the rank")
    axis.axhline(network["mean_image"], color="0.6", label="mean image")
    axis.set_title(title, fontsize=10)
    axis.set_ylim(top=45)
    _finish(axis, len(rows))


def _finish(axis: Axes, count: int) -> None:
    axis.set_xticks(range(1, count + 1))
    axis.set_xlabel("layer, from the input to the deepest")
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="best", fontsize=7.5, frameon=False)
