"""What each layer of a random network retains of photos at infinite width: no network is drawn."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from preimage.data.checkpoints import digest
from preimage.data.free_memory import require_memory
from preimage.data.memory import squares_of
from preimage.data.photos import Photos
from preimage.network.description import Description
from preimage.network.limit.cross import tile_maps
from preimage.network.limit.pairs import pair_recursion
from preimage.network.limit.tiles import Tiles
from preimage.network.trace import Alignment, Size, alignment
from preimage.retention.grams import Work, grams
from preimage.retention.kernel_ridge import RIDGES, Fit, Problem, fit
from preimage.retention.positions import (
    Sampling,
    distinct,
    photo_numbers,
    sample_tiles,
    tile_pictures,
    tile_targets,
)
from preimage.scores.statistics import Interval, mean_interval


@dataclass(frozen=True)
class LayerRetention:
    """One layer: the error of the best linear decoder of its features at infinite width.

    `mse` is per pixel value on held-out photos, in grey levels², not clipped; `photo_mse` the same
    photo by photo; `mean_mse` that of the training positions' mean block. `learning` has the PSNR
    with fewer training photos, (positions, dB): where it still rises, so would `psnr` with more.
    """

    layer: str
    alignment: Alignment
    window: int
    fit: Fit
    photo_mse: tuple[float, ...]
    mean_mse: float
    learning: tuple[tuple[int, float], ...]
    originals: Float[Tensor, "T D h w"]
    reconstructions: Float[Tensor, "T D h w"]
    seconds: float

    @property
    def mse(self) -> float:
        """Mean squared error per pixel value."""
        return self.fit.mse

    @property
    def psnr(self) -> Interval:
        """PSNR of the mean error, dB; its interval over held-out photos, to first order."""
        error = mean_interval(self.photo_mse)
        return Interval(decibels(self.mse), _PER_SHARE * error.stderr / error.mean, error.n)

    @property
    def retained(self) -> float:
        """The share of the variance about the mean block that comes back."""
        return 1 - self.mse / self.mean_mse


@dataclass(frozen=True)
class Layer:
    """A layer's positions and the regression that its kernel makes of them."""

    problem: Problem
    training: Tiles
    held_out: Tiles
    alignment: Alignment


_PER_SHARE = 10 / math.log(10)  # dB per relative error


def decibels(mse: float) -> float:
    """PSNR of a mean squared error of pixels in [0, 255]."""
    return 10 * math.log10(255**2 / mse) if mse else math.inf


def retention(
    description: Description,
    photos: Photos,
    held_out: Photos,
    layers: Sequence[str] | None = None,
    *,
    size: int = 64,
    window: int = 1,
    sampling: Sampling = Sampling(),  # noqa: B008
    ridges: Sequence[float] = RIDGES,
    dtype: torch.dtype = torch.float32,
    folder: str | Path | None = None,
    threads: int | None = None,
) -> list[LayerRetention]:
    """The least-squares reconstruction from each layer as the widths grow, in closed form.

    At infinite width the least-squares decoder of a random layer is kernel ridge regression with
    the layer's kernel: no network is drawn, and nothing is sampled but positions of photos.
    Derived in docs/retention.md.

    Args:
        description: an encoder; its numbers of channels do not matter.
        photos: to fit to, in any form that `preimage.load_photos` takes.
        held_out: to score.
        layers: blocks (`conv2`) or convolutions, before any pool behind them; all blocks if None.
        size: photos are cropped to their centre square and resized to this side.
        window: side k of the window of features that a block of pixels is read from, odd.
        sampling: how many positions, in which tiles.
        ridges: to choose from, as shares of the Gram's trace.
        dtype: of the kernel; the regression is solved in float64. Single precision has a relative
            error of about 1e-6.
        folder: where finished rows are kept; the same call goes on from there.
        threads: that share the work.

    Raises:
        ValueError: a layer has no kernel in closed form, with the reason; too few photos.
    """
    training, scored = (
        squares_of(source, size, argument=name).pixels
        for source, name in ((photos, "photos"), (held_out, "held_out"))
    )
    work = Work(None if folder is None else Path(folder), threads)
    return [
        _retained(description, layer, training, scored, window, sampling, ridges, dtype, work)
        for layer in layers or description.blocks
    ]


def _retained(
    description: Description,
    name: str,
    training: Tensor,
    scored: Tensor,
    window: int,
    sampling: Sampling,
    ridges: Sequence[float],
    dtype: torch.dtype,
    work: Work,
) -> LayerRetention:
    start = time.perf_counter()
    encoder = description.cut(name)
    layer = layer_problem(encoder, training, scored, window, sampling, dtype, work, name)
    problem = layer.problem
    found = fit(problem, ridges)
    errors = found.residuals.square().mean(1)
    stride = layer.alignment.stride
    return LayerRetention(
        name,
        layer.alignment,
        window,
        found,
        tuple(
            float(errors[problem.held_out_photos == n].mean())
            for n in distinct(problem.held_out_photos)[0]
        ),
        float((problem.held_out - problem.targets.mean(0)).square().mean()),
        learning_curve(problem, ridges),
        tile_pictures(problem.held_out, layer.held_out, stride),
        tile_pictures(found.predictions, layer.held_out, stride),
        time.perf_counter() - start,
    )


def learning_curve(problem: Problem, ridges: Sequence[float]) -> tuple[tuple[int, float], ...]:
    """PSNR with a quarter and a half of the training photos; the ridge chosen anew."""
    order = distinct(problem.photos)[1]
    points = []
    for share in (4, 2):
        kept = order % share == 0
        if len(distinct(problem.photos[kept])[0]) > 1:
            points.append((int(kept.sum()), decibels(fit(problem.some(kept), ridges).mse)))
    return tuple(points)


def layer_problem(
    encoder: Description,
    training: UInt8[Tensor, "N D H W"],
    scored: UInt8[Tensor, "M D h w"],
    window: int,
    sampling: Sampling,
    dtype: torch.dtype = torch.float32,
    work: Work = Work(),  # noqa: B008
    label: str = "kernel",
) -> Layer:
    """The regression of an encoder's features at infinite width.

    Raises:
        ValueError: no kernel in closed form, too few photos, or too little memory.
    """
    size: Size = (training.shape[2], training.shape[3])
    where = alignment(encoder)
    blocks = (-(-size[0] // where.stride), -(-size[1] // where.stride))
    map_size = pair_recursion(encoder, size, (1, 1), window).size
    tiles = [
        sample_tiles(count, len(pixels), map_size, blocks, where, sampling.tile, seed)
        for count, pixels, seed in (
            (sampling.positions, training, 2 * sampling.seed),
            (sampling.held_out, scored, 2 * sampling.seed + 1),
        )
    ]
    _require(tiles[0].positions, tiles[1].positions)
    recursion = pair_recursion(encoder, size, tiles[0].size, window)
    fitted, rest = (
        tile_maps(recursion, pixels.to(dtype), t)
        for pixels, t in zip((training, scored), tiles, strict=True)
    )
    key = {
        "description": encoder.with_width(1).to_dict(),
        "window": window,
        "sampling": asdict(sampling),
        "dtype": str(dtype),
        "photos": [digest({"pixels": pixels}) for pixels in (training, scored)],
    }
    found = grams(recursion, fitted, rest, key, work, label)
    problem = Problem(
        found.gram,
        found.cross,
        found.diagonal,
        tile_targets(training, tiles[0], where),
        tile_targets(scored, tiles[1], where),
        photo_numbers(tiles[0]),
        photo_numbers(tiles[1]),
    )
    return Layer(problem, tiles[0], tiles[1], where)


def _require(positions: int, held_out: int) -> None:
    """The kernel in its own precision; its centred copy and its factor in double."""
    needed = 8 * positions * (4 * positions + 2 * held_out)
    what = f"a kernel of {positions:,} and {held_out:,} positions"
    require_memory(needed, what, "take fewer `positions`")
