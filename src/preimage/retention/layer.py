"""One layer's positions, and the regression that its kernel makes of them."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from preimage.data.checkpoints import digest
from preimage.data.free_memory import require_memory
from preimage.network.description import Description
from preimage.network.limit.cross import TileMaps, corner_range, tile_maps
from preimage.network.limit.pairs import PairRecursion, pair_recursion
from preimage.network.limit.tiles import Tiles
from preimage.network.trace import Alignment, Size, alignment, feature_size
from preimage.retention.drawn import drawn_maps, split_at_pool
from preimage.retention.grams import Work, grams
from preimage.retention.kernel_ridge import Problem
from preimage.retention.nystroem import NOISE, shuffled, spanned
from preimage.retention.positions import Sampling, photo_numbers, sample_tiles, tile_targets


@dataclass(frozen=True)
class KernelOptions:
    """How kernels are computed and kept.

    Args:
        window: side k of the window of features that a block of pixels is read from, odd.
        sampling: how many positions, in which tiles.
        landmarks: training positions that all are paired with, rounded up to whole tiles, in place
            of all with all (`nystroem`); None is all.
        dtype: of the kernel; single precision has a relative error of 3e-7.
        drawn_width: channels of layers that are drawn, before a max or l2 pool (`drawn`).
        folder: where finished rows are kept; None keeps nothing.
        threads: that share the work; all of the machine's if not given.
    """

    window: int = 1
    sampling: Sampling = field(default_factory=Sampling)
    landmarks: int | None = None
    dtype: torch.dtype = torch.float32
    drawn_width: int = 256
    folder: Path | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.window < 1 or self.window % 2 == 0:
            raise ValueError(f"`window` must be odd and positive, got {self.window}.")
        most = self.sampling.positions
        if self.landmarks is not None and not 1 <= self.landmarks <= most:
            raise ValueError(
                f"`landmarks` are some of the {most:,} `positions`, got {self.landmarks:,}."
            )


@dataclass(frozen=True)
class Layer:
    """A layer's tiles of positions, and where they lie on the photo."""

    training: Tiles
    held_out: Tiles
    alignment: Alignment
    landmark_tiles: int | None = None

    @property
    def positions(self) -> tuple[int, int]:
        """To fit to, and to predict."""
        return self.training.positions, self.held_out.positions

    @property
    def landmarks(self) -> tuple[int, int] | None:
        """How many of the first positions are landmarks, and half of them; None if all are."""
        if self.landmark_tiles is None:
            return None
        area = self.training.size[0] * self.training.size[1]
        return self.landmark_tiles * area, -(-self.landmark_tiles // 2) * area


def place_layer(
    encoder: Description, size: Size, photos: tuple[int, int], options: KernelOptions
) -> Layer:
    """The tiles of an encoder's positions on so many training and held-out photos.

    Raises:
        ValueError: the photos are too few or too small, or it is no encoder.
    """
    where = alignment(encoder)
    blocks = (-(-size[0] // where.stride), -(-size[1] // where.stride))
    features = feature_size(encoder, size)
    sampling, landmarks = options.sampling, options.landmarks
    counts = (sampling.positions, sampling.held_out)
    training, held_out = (
        sample_tiles(count, number, features, blocks, where, sampling.tile, 2 * sampling.seed + i)
        for i, (count, number) in enumerate(zip(counts, photos, strict=True))
    )
    if landmarks is None:
        return Layer(training, held_out, where)
    tiles = -(-landmarks // (training.size[0] * training.size[1]))
    return Layer(shuffled(training, sampling.seed), held_out, where, tiles)


def layer_problem(
    encoder: Description,
    training: UInt8[Tensor, "N D H W"],
    scored: UInt8[Tensor, "M D H W"],
    options: KernelOptions = KernelOptions(),
    *,
    draw: int = 0,
    label: str | None = "kernel",
) -> tuple[Layer, Problem]:
    """The regression of an encoder's features at infinite width.

    Args:
        draw: number of the draw, where layers before a max or l2 pool are drawn.
        label: of the progress bar; None shows none.

    Raises:
        ValueError: no kernel is known, too few photos, or too little memory.
    """
    size = (training.shape[2], training.shape[3])
    layer = place_layer(encoder, size, (len(training), len(scored)), options)
    _require(*layer.positions)
    recursion, fitted, rest = _maps(encoder, training, scored, layer, options, draw)
    key = kernel_key(encoder, layer, (training, scored), options, draw)
    work = Work(options.folder, options.threads)
    found = grams(recursion, fitted, rest, key, work, label, layer.landmark_tiles)
    gram, cross = found.gram, found.cross
    if layer.landmark_tiles is not None:
        gram, cross = spanned(gram, cross, NOISE[options.dtype])
    return layer, Problem(
        gram,
        cross,
        found.diagonal,
        tile_targets(training, layer.training, layer.alignment),
        tile_targets(scored, layer.held_out, layer.alignment),
        photo_numbers(layer.training),
        photo_numbers(layer.held_out),
    )


def kernel_key(
    encoder: Description,
    layer: Layer,
    photos: tuple[Tensor, Tensor],
    options: KernelOptions,
    draw: int,
) -> dict[str, Any]:
    """All that the numbers of a layer's kernel depend on."""
    key: dict[str, Any] = {
        "description": encoder.with_width(1).to_dict(),
        "window": options.window,
        "sampling": asdict(options.sampling),
        "dtype": str(options.dtype),
        "drawn": [options.drawn_width, draw] if split_at_pool(encoder, 1)[0] else None,
        "photos": [digest({"pixels": pixels}) for pixels in photos],
    }
    if layer.landmark_tiles is not None:
        key["landmarks"] = layer.landmark_tiles
    return key


def _maps(
    encoder: Description,
    training: Tensor,
    scored: Tensor,
    layer: Layer,
    options: KernelOptions,
    draw: int,
) -> tuple[PairRecursion, TileMaps, TileMaps]:
    """The recursion, and what it needs of the tiles of both."""
    drawn, rest = split_at_pool(encoder, options.drawn_width)
    images = [training, scored]
    if drawn:
        images = [drawn_maps(drawn, x, options.sampling.seed, draw) for x in images]
    size = (images[0].shape[2], images[0].shape[3])
    corners = corner_range(layer.training, layer.held_out)
    recursion = pair_recursion(rest, size, layer.training.size, options.window, corners)
    fitted, held_out = (
        tile_maps(recursion, image.to(options.dtype), tiles)
        for image, tiles in zip(images, (layer.training, layer.held_out), strict=True)
    )
    return recursion, fitted, held_out


def _require(positions: int, held_out: int) -> None:
    """The kernel in its own precision; its centred copy and two factors in double."""
    needed = 8 * positions * (4 * positions + 2 * held_out)
    what = f"a kernel of {positions:,} and {held_out:,} positions"
    require_memory(needed, what, "take fewer `positions`")
