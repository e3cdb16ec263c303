"""Theorem 5.4: how the limit resembles the photo, by kernel size; and the grid of unpooling."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from preimage.data.cost import Cost, Plain
from preimage.data.photo import SIZE
from preimage.data.photos import open_photos
from preimage.data.records import output_folder
from preimage.paper.angles import conv1
from preimage.paper.draw import save_figure, without_ticks
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.options import UNPOOLS, FigureOptions
from preimage.paper.tables import write_rows
from preimage.theory import cosine_bound, limit, two_layer_cosine_bound

KERNEL_SIZES = (1, 3, 5, 7, 11, 15, 21, 31)
BOUND = Claim(
    "theorem5.4",
    "theory",
    "Theorem 5.4: the limit resembles the photo",
    "cos Φ ≥ 1 − Σ ε_t x_t / M, with ε_t = x_t less its window's mean",
)
FALL = Claim(
    "theorem5.4_size",
    "theory",
    "Theorem 5.4: the kernel size",
    "cos Φ falls with the kernel size",
)


@dataclass(frozen=True)
class KernelCurve:
    """cos Φ of the limit and the photo over the kernel size, and two lower bounds of it.

    `printed_bound` is the paper's form, `corrected_bound` the sharper one with route counts.
    """

    kernel_sizes: tuple[int, ...]
    cosine: list[float]
    corrected_bound: list[float]
    printed_bound: list[float]


@dataclass(frozen=True)
class Grids:
    """Limits of a flat image and of the photo by unpooling; flat ones relative to their minimum."""

    flat: dict[str, Float[Tensor, "h w"]]
    photo: dict[str, Float[Tensor, "H W"]]
    cosine: dict[str, float]  # between the photo's limit and its channel norm


_SECONDS = 2.0  # of all, on one core


def run(options: FigureOptions) -> list[Finding]:
    """cos Φ and its bounds on the first photo of the data."""
    photo = next(open_photos(options.data or None, SIZE))
    image = photo.pixels[None] / 255
    curve, printed_grids = kernel_curve(image, KERNEL_SIZES), grids(image)
    folder = output_folder(options.out)
    drawn = {"kernel_size": draw_kernels(curve), "grids": draw_grids(printed_grids)}
    pictures = [
        save_figure(figure, folder / f"theory_{name}.png").name for name, figure in drawn.items()
    ]
    columns = (curve.kernel_sizes, curve.cosine, curve.corrected_bound, curve.printed_bound)
    names = ("kernel_size", "cosine", "corrected_bound", "printed_bound")
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    table = write_rows(folder / "theory_kernel_size.csv", rows)
    return [_bound(curve, pictures, table), _fall(curve, pictures, table)]


def cost(options: FigureOptions) -> Cost:
    """Seconds."""
    return Plain(f"kernel size: {len(KERNEL_SIZES)} limits of one photo", _SECONDS)


def kernel_curve(image: Float[Tensor, "N 3 H W"], kernel_sizes: tuple[int, ...]) -> KernelCurve:
    """Theorem 5.4 for one convolution, over its kernel size."""
    found = [two_layer_cosine_bound(image, kernel_size) for kernel_size in kernel_sizes]
    return KernelCurve(
        kernel_sizes,
        [item.cosine for item in found],
        [item.corrected_bound for item in found],
        [item.printed_bound for item in found],
    )


def grids(image: Float[Tensor, "N 3 H W"]) -> Grids:
    """What unpooling by zeros and by nearest print on a flat image, and on the photo."""
    flat: dict[str, Tensor] = {}
    photo: dict[str, Tensor] = {}
    cosine: dict[str, float] = {}
    for unpool in UNPOOLS:
        net = conv1(unpool)
        inside = limit(net, torch.ones(1, 3, 24, 24))[0, 0, 8:16, 8:16]
        flat[unpool] = inside / inside.min()
        photo[unpool] = limit(net, image)[0, 0]
        cosine[unpool] = cosine_bound(net, image).cosine
    return Grids(flat, photo, cosine)


def _numbers(curve: KernelCurve) -> dict[str, Number]:
    """By kernel size: `cosine_3`, `corrected_3`, `printed_3`, …"""
    return {
        f"{name}_{size}": value
        for name, values in (
            ("cosine", curve.cosine),
            ("corrected", curve.corrected_bound),
            ("printed", curve.printed_bound),
        )
        for size, value in zip(curve.kernel_sizes, values, strict=True)
    }


def _bound(curve: KernelCurve, pictures: list[str], table: str) -> Finding:
    rows = zip(curve.cosine, curve.corrected_bound, curve.printed_bound, strict=True)
    sizes = (curve.kernel_sizes[1], curve.kernel_sizes[-1])
    sentence = "; ".join(
        f"kernel {size}: cos Φ {{cosine_{size}:.3f}}, at least {{printed_{size}:.3f}} by the "
        f"paper's bound and {{corrected_{size}:.3f}} by ours with route counts"
        for size in sizes
    )
    return BOUND.finding(
        f"{sentence} (one photo)",
        all(max(corrected, printed) <= cosine for cosine, corrected, printed in rows),
        _numbers(curve),
        brief=f"{sentence}",
        pictures=pictures,
        tables=(table,),
    )


def _fall(curve: KernelCurve, pictures: list[str], table: str) -> Finding:
    sentence = "cos Φ " + ", ".join(f"{{cosine_{size}:.3f}}" for size in curve.kernel_sizes)
    sizes = ", ".join(str(size) for size in curve.kernel_sizes)
    return FALL.finding(
        f"{sentence} at kernel sizes {sizes} (one photo)",
        curve.cosine == sorted(curve.cosine, reverse=True),
        _numbers(curve),
        brief=f"{sentence} at kernel sizes {sizes}",
        pictures=pictures,
        tables=(table,),
    )


# --- the pictures ---------------------------------------------------------------------------------


def draw_kernels(curve: KernelCurve) -> Figure:
    """cos Φ between the limit and the photo over the kernel size, and its lower bounds."""
    figure = Figure(figsize=(5.4, 4), layout="constrained")
    axis = figure.subplots()
    for values, style, colour, label in (
        (curve.cosine, "o-", "#000000", "cos Φ"),
        (curve.corrected_bound, "s-", "#009E73", "our bound, with route counts"),
        (curve.printed_bound, "v-", "#D55E00", "Theorem 5.4's bound"),
    ):
        axis.plot(curve.kernel_sizes, values, style, color=colour, ms=3.5, label=label)
    axis.set_xlabel("kernel size (pixels)")
    axis.set_ylabel("cosine between limit and photo (one convolution)")
    axis.set_ylim(None, 1.005)
    axis.legend(loc="best", fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
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
    figure.suptitle("Conv1-DeConv1 with l2 pooling, infinite width", fontsize=11)
    return without_ticks(figure)
