"""Data for the pictures of the theory: the limit of a photo, and the theorems against networks."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, Pool, UnpoolKind
from preimage.theory import (
    angle_bound,
    cosine_bound,
    limit,
    multilayer_angle_bound,
    relative_std,
    sampled_limit,
    sharper_angle_bound,
    two_layer,
    two_layer_angle_bound,
    two_layer_cosine_bound,
)


@dataclass(frozen=True)
class LimitPicture:
    """A photo's limit and finite networks beside it; maps are (h, w), in the limit's brightness.

    `stderr` is that of a sampled limit (max pooling), else 0. `predicted_std` is |f*| times
    `relative_std`; for average and max pools inside the network it is a rule, not a theorem.
    """

    description: Description
    photo: Float[Tensor, "C H W"]
    limit: Float[Tensor, "h w"]
    stderr: Float[Tensor, "h w"]
    network: Float[Tensor, "h w"]
    predicted_std: Float[Tensor, "h w"]
    measured_std: Float[Tensor, "h w"]
    num_networks: int

    @property
    def sine(self) -> float:
        """The sine of the angle between the one network's output and the limit."""
        return float(sines(self.network.reshape(1, -1), self.limit)[0])

    def spread(self, std: Float[Tensor, "h w"]) -> float:
        """Root mean square of a map of deviations, in units of the limit's brightest pixel."""
        return float(std.square().mean().sqrt() / self.limit.max())


@dataclass(frozen=True)
class AngleCurves:
    """Angles to the limit over the width: measured quantiles, predictions and bounds (1 − δ)."""

    title: str
    widths: tuple[int, ...]
    num_networks: int
    delta: float
    measured: dict[float, list[float]]  # probability → quantile of sin Θ at each width
    bounds: dict[str, list[float]]
    outside: tuple[str, ...]  # statements whose conditions this network violates
    exponent: float  # of the root mean square of sin Θ
    exponent_stderr: float


@dataclass(frozen=True)
class KernelCurve:
    """cos Φ of the limit and the photo, and its lower bounds, over the kernel size."""

    kernel_sizes: tuple[int, ...]
    cosine: list[float]
    bound: list[float]
    paper_bound: list[float]


@dataclass(frozen=True)
class Grids:
    """Limits of a flat image and of the photo by unpooling; flat ones relative to their minimum."""

    flat: dict[str, Float[Tensor, "h w"]]
    photo: dict[str, Float[Tensor, "H W"]]
    cosine: dict[str, float]  # between the photo's limit and its channel norm


@dataclass(frozen=True)
class TheoryStudy:
    """Everything that `preimage reproduce theory` draws."""

    two_layers: AngleCurves
    many_layers: AngleCurves
    kernels: KernelCurve
    grids: Grids


def study_limit(
    image: Float[Tensor, "N C H W"],
    description: Description,
    law: str = "gaussian:fan-in",
    *,
    num_networks: int = 8,
    seed: int = 0,
    num_samples: int = 512,
) -> LimitPicture:
    """The limit of one photo, beside `num_networks` networks at the description's widths.

    Raises:
        ValueError: fewer than two networks; the description has no limit, or pools behind its last
            convolution.
    """
    if num_networks < 2:
        raise ValueError(f"`num_networks` must be at least 2 to have a spread, got {num_networks}.")
    image = image.double()
    if any(isinstance(op, Pool) and op.kind == "max" for op in description.operations):
        f_star, stderr = sampled_limit(description, image, law, num_samples=num_samples, seed=seed)
    else:
        f_star = limit(description, image, law)
        stderr = torch.zeros_like(f_star)
    draws = network_outputs(description, image, num_networks, law, seed).reshape(
        num_networks, *f_star.shape[-2:]
    )
    return LimitPicture(
        description,
        image[0],
        f_star[0, 0],
        stderr[0, 0],
        draws[0],
        f_star[0, 0].abs() * relative_std(description),
        draws.std(0),
        num_networks,
    )


def study_theory(
    image: Float[Tensor, "N 3 H W"],
    *,
    widths: tuple[int, ...] = (8, 16, 32, 64, 128, 256, 512),
    num_networks: int = 60,
    delta: float = 0.05,
    side: int = 24,
    kernel_sizes: tuple[int, ...] = (1, 3, 5, 7, 11, 15, 21, 31),
    seed: int = 0,
) -> TheoryStudy:
    """Theorems against networks, on the photo's central side × side pixels (cos Φ: all of it).

    Raises:
        ValueError: the photo is smaller than `side`.
    """
    height, width = image.shape[-2:]
    if min(height, width) < side:
        raise ValueError(
            f"`image` must be at least {side}×{side} for `side`, got {height}×{width}."
        )
    top, left = (height - side) // 2, (width - side) // 2
    crop = image[..., top : top + side, left : left + side].double()
    return TheoryStudy(
        angle_curves("conv, mean", _two_layers(), crop, widths, num_networks, delta, seed),
        angle_curves("Conv1-DeConv1, l2", _conv1("zeros"), crop, widths, num_networks, delta, seed),
        kernel_curve(image, kernel_sizes),
        grids(image),
    )


def angle_curves(
    title: str,
    description: Description,
    image: Float[Tensor, "N 3 H W"],
    widths: tuple[int, ...],
    num_networks: int,
    delta: float,
    seed: int,
) -> AngleCurves:
    """sin Θ of many networks at each width, and every bound that has a value for them."""
    measured: dict[float, list[float]] = {p: [] for p in (0.05, 0.5, 1 - delta)}
    bounds: dict[str, list[float]] = {}
    outside: set[str] = set()
    logs, errors = [], []
    f_star = limit(description, image, "gaussian:0.1")
    for width in widths:
        net = description.with_width(width)
        sample = sines(network_outputs(net, image, num_networks, "gaussian:0.1", seed), f_star)
        for p, values in measured.items():
            values.append(float(sample.quantile(p)))
        squares = sample.square()
        logs.append(math.log(float(squares.mean())) / 2)
        errors.append(float(squares.std() / squares.mean()) / 2 / num_networks**0.5)
        for name, (value, holds) in _bounds(net, image, delta).items():
            bounds.setdefault(name, []).append(value)
            if not holds:
                outside.add(name)
    exponent, stderr = _slope(np.log(widths), np.array(logs), np.array(errors))
    return AngleCurves(
        title, widths, num_networks, delta, measured, bounds, tuple(outside), exponent, stderr
    )


def kernel_curve(image: Float[Tensor, "N 3 H W"], kernel_sizes: tuple[int, ...]) -> KernelCurve:
    """Theorem 5.4 for one convolution, over its kernel size."""
    found = [two_layer_cosine_bound(image, kernel_size) for kernel_size in kernel_sizes]
    return KernelCurve(
        kernel_sizes,
        [item.cosine for item in found],
        [item.bound for item in found],
        [item.paper_bound for item in found],
    )


def grids(image: Float[Tensor, "N 3 H W"]) -> Grids:
    """What unpooling by zeros and by nearest print on a flat image, and on the photo."""
    flat: dict[str, Tensor] = {}
    photo: dict[str, Tensor] = {}
    cosine: dict[str, float] = {}
    kinds: tuple[UnpoolKind, ...] = ("zeros", "nearest")
    for unpool in kinds:
        net = _conv1(unpool)
        inside = limit(net, torch.ones(1, 3, 24, 24))[0, 0, 8:16, 8:16]
        flat[unpool] = inside / inside.min()
        photo[unpool] = limit(net, image)[0, 0]
        cosine[unpool] = cosine_bound(net, image).cosine
    return Grids(flat, photo, cosine)


@torch.no_grad()
def network_outputs(
    description: Description, image: Tensor, num_networks: int, law: str, seed: int
) -> Float[Tensor, "num_networks pixels"]:
    """Outputs of networks 0, 1, … of a seed, pixels in one row each; float64."""
    # float32 is enough for an output's noise of per cents, and twice as fast.
    draws = [
        build(description, law, seed=seed, network_number=index)(image.float())
        for index in range(num_networks)
    ]
    return torch.stack(draws).flatten(1).double()


def sines(
    f: Float[Tensor, "num_networks pixels"], f_star: Tensor
) -> Float[Tensor, " num_networks"]:
    """sin of the angle of each row to the limit."""
    unit = f_star.flatten() / f_star.norm()
    along = f @ unit
    across = f - along[:, None] * unit
    ratio: Tensor = torch.linalg.norm(across, dim=1) / torch.linalg.norm(f, dim=1)
    return ratio


def _bounds(net: Description, image: Tensor, delta: float) -> dict[str, tuple[float, bool]]:
    """By name: bounds and predictions of the (1 − δ) quantile of sin Θ, and whether proved here."""
    found = {"Theorem V": (angle_bound(net, delta), True)}
    if len(net.convs) == 1:
        network = two_layer(net, image)
        width = net.convs[0].out_channels
        found["Theorem 5.2"] = (two_layer_angle_bound(width, delta), True)
        found["K_eff"] = (sharper_angle_bound(network, delta), True)
        found["χ² mixture"] = (network.angle_quantile(1 - delta), True)
    else:
        for name, printed in (("5.3 corrected", False), ("5.3 as printed", True)):
            item = multilayer_angle_bound(net, image, delta, printed=printed)
            found[name] = (item.bound, item.within_conditions)
    return found


def _slope(x: np.ndarray, y: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """The slope of a weighted straight line, and its standard error."""
    weights = 1 / errors**2
    centred = x - (weights * x).sum() / weights.sum()
    information = (weights * centred**2).sum()
    return float((weights * centred * y).sum() / information), float(information**-0.5)


def _two_layers() -> Description:
    return Description("two layers", (Conv("conv", 1), ChannelMean())).with_normalisation()


def _conv1(unpool: UnpoolKind) -> Description:
    encoder = vgg16().cut("conv1", pooled=True).with_pool("l2")
    return (encoder + encoder.mirror(unpool)).with_mean_head().with_normalisation()
