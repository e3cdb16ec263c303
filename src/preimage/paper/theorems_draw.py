"""Figures of the theory: results of `preimage.paper.theorems_study` in, matplotlib `Figure` out."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from preimage.paper.theorems_study import AngleCurves, Grids, KernelCurve, LimitPicture, TheoryStudy

#: Okabe and Ito's colours, legible to the colour-blind.
COLOURS = {
    "measured": "#000000",
    "Theorem V": "#0072B2",
    "Theorem 5.2": "#D55E00",
    "K_eff": "#009E73",
    "χ² mixture": "#CC79A7",
    "5.3 corrected": "#E69F00",
    "5.3 as printed": "#D55E00",
}
LABELS = {"Theorem 5.2": "Theorem 5.2 (paper)", "K_eff": "with $K_\\mathrm{eff}$"}


def draw_theory(study: TheoryStudy) -> dict[str, Figure]:
    """Every figure of the study, by name."""
    return {
        "angles": draw_angles(study.two_layers, study.many_layers),
        "kernel_size": draw_kernels(study.kernels),
        "grids": draw_grids(study.grids),
    }


def draw_limit(result: LimitPicture) -> Figure:
    """Six panels: photo, limit, network; their difference, predicted and measured deviation."""
    figure = Figure(figsize=(10, 6.8), layout="constrained")
    axes = figure.subplots(2, 3)
    width = result.description.convs[0].out_channels
    top = float(result.limit.max())
    photo = axes[0, 0]
    photo.imshow(result.photo.permute(1, 2, 0).clamp(0, 1).numpy(), cmap="gray")
    photo.set_title("photo")
    for axis, image, title in (
        (axes[0, 1], result.limit, "limit $f^*$ (infinite width)"),
        (axes[0, 2], result.network, f"one network, width {width}: sin Θ = {result.sine:.3f}"),
    ):
        axis.imshow((image / top).numpy(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=10)
    # A network's brightness has most of its noise; what is left is what an eye would see.
    scale = float((result.network * result.limit).sum() / result.network.square().sum())
    difference = (scale * result.network - result.limit) / top
    most = float(difference.abs().flatten().quantile(0.995)) or 1.0
    _image_with_bar(
        figure, axes[1, 0], difference, "network, equally bright, − limit", "RdBu_r", (-most, most)
    )
    spread = float(max(result.predicted_std.max(), result.measured_std.max())) / top
    for axis, image, title in (
        (axes[1, 1], result.predicted_std, "predicted std of a pixel"),
        (axes[1, 2], result.measured_std, f"measured std, {result.num_networks} networks"),
    ):
        _image_with_bar(figure, axis, image / top, title, "viridis", (0.0, spread))
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.suptitle(
        f"{result.description.name}: all in units of the limit's brightest pixel", fontsize=11
    )
    return figure


def draw_angles(*curves: AngleCurves) -> Figure:
    """sin Θ over the width, a panel for each network: measured quantiles, predictions, bounds."""
    figure = Figure(figsize=(5.4 * len(curves), 4.6), layout="constrained")
    for axis, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        low, middle, high = curve.measured.values()
        top = f"{100 * (1 - curve.delta):.0f} %"
        label = f"measured: median, 5 % to {top}, {curve.num_networks} networks"
        axis.fill_between(curve.widths, low, high, color="0.8", lw=0)
        axis.plot(curve.widths, middle, "o-", color="black", ms=3, label=label)
        for name, values in curve.bounds.items():
            note = " (outside its conditions)" if name in curve.outside else ""
            style = ":" if note else "--" if name == "χ² mixture" else "-"
            axis.plot(
                curve.widths,
                values,
                style,
                color=COLOURS[name],
                label=LABELS.get(name, name) + note,
            )
        axis.axhspan(1, 30, color="0.93", lw=0, zorder=0)
        axis.text(curve.widths[-1], 20, "vacuous: sin Θ ≤ 1 always", ha="right", fontsize=8)
        axis.set(xscale="log", yscale="log", ylim=(min(low) / 12, 30))
        axis.set_xticks(curve.widths, [str(w) for w in curve.widths])
        axis.minorticks_off()
        axis.set_xlabel("width N (channels a layer)")
        axis.set_title(
            f"{curve.title}: exponent {curve.exponent:.2f} ± {1.96 * curve.exponent_stderr:.2f}",
            fontsize=10,
        )
        axis.legend(fontsize=7, loc="lower left")
        _open(axis)
    delta = curves[0].delta
    figure.supylabel(f"sin of the angle to the limit (bounds: probability {1 - delta:.2f})")
    return figure


def draw_kernels(curve: KernelCurve) -> Figure:
    """cos Φ between the limit and the photo over the kernel size, and its lower bounds."""
    figure = Figure(figsize=(5.4, 4), layout="constrained")
    axis = figure.subplots()
    axis.plot(curve.kernel_sizes, curve.cosine, "o-", color="black", ms=4, label="cos Φ")
    axis.plot(
        curve.kernel_sizes,
        curve.bound,
        "s-",
        color=COLOURS["K_eff"],
        ms=3,
        label="bound with route counts",
    )
    axis.plot(
        curve.kernel_sizes,
        curve.paper_bound,
        "v-",
        color=COLOURS["Theorem 5.2"],
        ms=3,
        label="Theorem 5.4",
    )
    axis.set_xlabel("kernel size (pixels)")
    axis.set_ylabel("cosine between limit and photo (one convolution)")
    axis.set_ylim(None, 1.005)
    axis.legend(fontsize=8)
    _open(axis)
    return figure


def draw_grids(grids: Grids) -> Figure:
    """What each unpooling prints: on a flat image with its numbers, and on the photo."""
    figure = Figure(figsize=(7.4, 7.2), layout="constrained")
    axes = figure.subplots(2, len(grids.flat))
    top = max(float(image.max()) for image in grids.flat.values())
    for axis, (unpool, image) in zip(axes[0], grids.flat.items(), strict=True):
        axis.imshow(image.numpy(), cmap="gray", vmin=0, vmax=top)
        axis.set_title(f"{unpool}: limit of a flat image (8×8 pixels)", fontsize=10)
        for y in range(2):
            for x in range(2):
                value = float(image[y, x])
                axis.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=7, color="red")
    for axis, (unpool, image) in zip(axes[1], grids.photo.items(), strict=True):
        axis.imshow((image / image.max()).numpy(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(f"{unpool}: cos Φ = {grids.cosine[unpool]:.3f}", fontsize=10)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.suptitle("Conv1-DeConv1 with l2 pooling, infinite width", fontsize=11)
    return figure


def _image_with_bar(
    figure: Figure,
    axis: Axes,
    image: torch.Tensor,
    title: str,
    colours: str,
    limits: tuple[float, float],
) -> None:
    shown = axis.imshow(image.numpy(), cmap=colours, vmin=limits[0], vmax=limits[1])
    figure.colorbar(shown, ax=axis, shrink=0.8)
    axis.set_title(title, fontsize=10)


def _open(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
