"""The line at infinite width beside a network and its random twins, at the same positions.

The linear rung fits its decoders to all positions of all photos; a kernel takes a few thousand
(docs/retention.md). So the three are compared apart from the rung: at a common subset of positions
the line, the network and its twins are fitted and scored by one rule, that of `retention`. What is
left of a difference from the line is not the architecture's: it is training's, or the width's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from preimage.data.tables import text_table
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.network.limit.pairs import split_encoder
from preimage.probing.linear_rung import Experiment
from preimage.retention.drawn import split_at_pool
from preimage.retention.kernel_ridge import Fit, Problem, feature_problem, fit
from preimage.retention.layer import KernelOptions, Layer, layer_problem, place_layer
from preimage.retention.layer_retention import decibels
from preimage.retention.networks import photo_features
from preimage.retention.positions import distinct
from preimage.scores.statistics import Interval, mean_interval

_DRAWS = 3  # of the layers before a max or l2 pool


@dataclass(frozen=True)
class InfiniteWidth:
    """One layer: mean squared errors per pixel value, not clipped, at the same positions.

    Args:
        positions: fitted to, and scored.
        line: of the architecture at infinite width; one per draw where layers before a max or l2
            pool are drawn.
        trained: of the network as it was given.
        twins: of each random twin.
        by_photo: of the line's first draw and of the network, for each held-out photo.
        missing: why there is no line; then the rest is empty.
    """

    positions: tuple[int, int] = (0, 0)
    line: list[float] = field(default_factory=list)
    trained: float = 0.0
    twins: list[float] = field(default_factory=list)
    by_photo: list[tuple[float, float]] = field(default_factory=list)
    missing: str = ""

    @property
    def difference(self) -> Interval:
        """PSNR of the network minus that of the line, dB; over held-out photos, to first order."""
        means = [fmean(values) for values in zip(*self.by_photo, strict=True)]
        shares = [line / means[0] - own / means[1] for line, own in self.by_photo]
        scale = 10 / math.log(10)  # dB per relative error
        stderr = scale * mean_interval(shares).stderr
        above = decibels(self.trained) - decibels(fmean(self.line))
        return Interval(above, stderr, len(shares))

    def row(self, layer: str) -> dict[str, Any]:
        """The numbers of the table; None where there is no line."""
        there = not self.missing
        return {
            "layer": layer,
            "positions": self.positions[0],
            "scored": self.positions[1],
            "infinite_width": decibels(fmean(self.line)) if there else None,
            "trained": decibels(self.trained) if there else None,
            "twins": decibels(fmean(self.twins)) if self.twins else None,
            "difference": self.difference.mean if there else None,
            "difference_half_width": self.difference.half_width if there else None,
            "missing": self.missing or None,
        }


def described(model: nn.Module) -> Description:
    """The description of a model whose modules are operations of ours (`given_model.staged`).

    Raises:
        ValueError: it is none, and so has no kernel.
    """
    stages = list(model.children()) if isinstance(model, nn.Sequential) else []
    parts = [stage.description for stage in stages if isinstance(stage, Network)]
    if not parts or len(parts) < len(stages):
        raise ValueError(
            f"`infinite_width`: {type(model).__name__} is no chain of this package's operations, "
            "and its kernel is not known; take what `build` makes of a `Description`, or none."
        )
    operations = tuple(op for part in parts for op in part.operations)
    return Description("the model", operations, parts[0].in_channels)


def require_line(model: nn.Module, experiment: Experiment, options: KernelOptions) -> None:
    """Refuses what has no line, before anything is computed.

    Raises:
        ValueError: no description, other pixels than [0, 255], windows, or too few positions.
    """
    whole = described(model)
    pixels = experiment.preprocessing
    if (pixels.scale, *pixels.mean, *pixels.std) != (1.0, *(0.0,) * 3, *(1.0,) * 3):
        raise ValueError("`infinite_width` takes pixels in [0, 255] as they are: `probing.RAW`.")
    if experiment.window > 1:
        raise ValueError("`infinite_width` reads single positions; leave out `window`.")
    photos = experiment.photos
    counts = len(photos.training), len(photos.held_out)
    for target in experiment.targets:
        encoder = _up_to(whole, target.name)
        if not _no_kernel(encoder):
            place_layer(encoder, photos.size, counts, options)


def _up_to(whole: Description, name: str) -> Description:
    """The operations up to and with the one of this name.

    Raises:
        ValueError: the layer is a part of an operation.
    """
    names = [op.name for op in whole.operations]
    if name not in names:
        raise ValueError(
            f"`infinite_width`: layer {name} is no operation; name some of {', '.join(names)}."
        )
    end = names.index(name) + 1
    return Description(whole.name, whole.operations[:end], whole.in_channels)


def _no_kernel(encoder: Description) -> str:
    """Why an encoder has no kernel; empty where it has one."""
    try:
        split_encoder(split_at_pool(encoder, 1)[1])
    except ValueError as error:
        return str(error)
    return ""


def infinite_width(
    model: nn.Module,
    twins: Sequence[nn.Module],
    experiment: Experiment,
    options: KernelOptions,
) -> dict[str, InfiniteWidth]:
    """Each layer's line, the network and its twins beside it.

    Photos are rounded to whole grey levels. Twins are drawn with centred weights and no biases, as
    `open_model` draws them; the law makes no difference at infinite width.
    """
    whole = described(model)
    photos = experiment.photos
    pixels = photos.training.round().byte(), photos.held_out.round().byte()
    found = {}
    for target in experiment.targets:
        encoder = _up_to(whole, target.name)
        if missing := _no_kernel(encoder):
            found[target.name] = InfiniteWidth(missing=missing)
            continue
        end = len(encoder.operations)
        networks = [nn.Sequential(*list(each.children())[:end]) for each in (model, *twins)]
        found[target.name] = _layer(encoder, networks, *pixels, options)
    return found


@torch.no_grad()
def _layer(
    encoder: Description,
    networks: Sequence[nn.Module],
    training: UInt8[Tensor, "N D H W"],
    held_out: UInt8[Tensor, "M D H W"],
    options: KernelOptions,
) -> InfiniteWidth:
    draws = _DRAWS if split_at_pool(encoder, 1)[0] else 1
    name = encoder.operations[-1].name
    layer, problem = layer_problem(encoder, training, held_out, options, label=name)
    fits = [fit(problem)]
    for draw in range(1, draws):
        again = layer_problem(encoder, training, held_out, options, draw=draw, label=name)
        fits.append(fit(again[1]))
    trained, *twins = (_of_network(x, layer, problem, training, held_out) for x in networks)
    line, own = (_by_photo(each, problem) for each in (fits[0], trained))
    return InfiniteWidth(
        layer.positions,
        [each.mse for each in fits],
        trained.mse,
        [twin.mse for twin in twins],
        list(zip(line, own, strict=True)),
    )


def _of_network(
    network: nn.Module, layer: Layer, problem: Problem, training: Tensor, held_out: Tensor
) -> Fit:
    fitted = photo_features(network, training, layer.training)
    return fit(feature_problem(fitted, photo_features(network, held_out, layer.held_out), problem))


def _by_photo(found: Fit, problem: Problem) -> list[float]:
    errors = found.residuals.square().mean(1)
    numbers = distinct(problem.held_out_photos)[0]
    return [float(errors[problem.held_out_photos == number].mean()) for number in numbers]


def infinite_width_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as text, a blank line before them, and which layers have none; nothing without."""
    there = [infinite_width_cells(row) for row in rows if not row["missing"]]
    missing = [f"no line: {row['missing']}" for row in rows if row["missing"]]
    heading = ("layer", "positions", "infinite width (dB)", "model", "twins", "model − line")
    parts = [text_table(heading, there)] if there else []
    return "".join(f"\n\n{part}" for part in (*parts, *missing))


def infinite_width_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """A row that has a line, as text."""
    twins = "" if row["twins"] is None else f"{row['twins']:.2f}"
    signed = f"{row['difference']:+.2f} ± {row['difference_half_width']:.2f}"
    return (
        row["layer"],
        f"{row['positions']:,}",
        f"{row['infinite_width']:.2f}",
        f"{row['trained']:.2f}",
        twins,
        signed.replace("-", "−"),
    )
