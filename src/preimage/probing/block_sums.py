"""Sums over the positions of maps and the blocks of pixels that they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from preimage.decoders.blocks import on_blocks, to_blocks
from preimage.decoders.normal_equations import NormalEquations
from preimage.decoders.window_sums import WindowMoments
from preimage.network.laws import stream
from preimage.network.trace import Alignment

Pixels = Float[Tensor, "N 3 H W"]
Maps = Float[Tensor, "N C h w"]
GREY = 127.5  # taken from the pixels before they are summed: products lose fewer digits
_ROWS = 2048  # positions per product: adding it to the sums in float64 costs as much as 100 of them


@dataclass(frozen=True)
class Standard:
    """How a layer's channels are brought to one scale: (maps − centre) / scale.

    A random network's channels may vary by a thousandth of their mean, or by a thousand times less
    than their neighbours: brought to one scale first, float32 products lose nothing. `mixing`
    leaves only r principal components of the channels; None leaves the channels.
    """

    centre: Float[Tensor, "C 1 1"]
    scale: Float[Tensor, "C 1 1"]
    mixing: Float[Tensor, "r C"] | None = None

    @property
    def channels(self) -> int:
        """Numbers per position that are left."""
        return len(self.centre) if self.mixing is None else len(self.mixing)

    def rows(self, values: Float[Tensor, "n C"]) -> Float[Tensor, "n D"]:
        """Of positions, one per row."""
        values = (real(values) - self.centre.flatten()) / self.scale.flatten()
        return values if self.mixing is None else values @ self.mixing.T

    def __call__(self, maps: Maps) -> Float[Tensor, "N D h w"]:
        """Of whole maps."""
        maps = (real(maps) - self.centre) / self.scale
        return maps if self.mixing is None else torch.einsum("rc,nchw->nrhw", self.mixing, maps)


def standard(maps: Maps, components: int | None = None) -> Standard:
    """From the mean and standard deviation of each channel of some maps; 1 where it is constant.

    Args:
        components: how many principal components to leave; None leaves the channels.
    """
    values = maps.double().movedim(1, 0).flatten(1)
    mean, std = values.mean(1), values.std(1)
    constant = std <= 1e-7 * mean.abs()
    std = torch.where(constant, torch.ones_like(std), std)
    dtype, mixing = real(maps).dtype, None
    if components is not None and components < len(mean):
        values = (values - mean[:, None]) / std[:, None]
        vectors = torch.linalg.eigh(values @ values.T).eigenvectors
        mixing = vectors[:, -components:].T.flip(0).to(dtype).contiguous()
    return Standard(mean.to(dtype)[:, None, None], std.to(dtype)[:, None, None], mixing)


def real(maps: Tensor) -> Tensor:
    """At least in single precision."""
    return maps.to(torch.promote_types(maps.dtype, torch.float32))


class BlockSums:
    """`NormalEquations` of standardised windows of maps and blocks of pixels, batch by batch.

    Args:
        window: side of the window, odd.
        positions: how many random positions are taken per photo; None takes all.
        seed: of the positions.
    """

    def __init__(
        self,
        standard: Standard,
        alignment: Alignment,
        window: int = 1,
        positions: int | None = None,
        seed: int = 0,
    ) -> None:
        self.standard, self.alignment, self.window = standard, alignment, window
        self.positions, self.seed = positions, seed
        targets = 3 * alignment.stride**2
        self._points = _PointSums(standard.channels, targets) if window == 1 else None
        self._windows = WindowMoments(standard.channels, targets, window) if window > 1 else None

    @property
    def count(self) -> int:
        """Positions so far."""
        sums = self._points or self._windows
        assert sums is not None
        return sums.count

    def add(self, maps: Maps, blocks: Tensor, photos: Sequence[int], first: int = 0) -> None:
        """These photos of a batch.

        Args:
            maps: on the grid of blocks (`on_blocks`), not standardised.
            blocks: their pixels (`PixelBlocks`).
            first: number of the batch's first photo, which its random positions hang on.
        """
        if not photos:
            return
        chosen = self._choose([first + photo for photo in photos], maps.shape[2] * maps.shape[3])
        if self._points is not None:
            x, y = (_rows(part.flatten(2), photos, chosen) for part in (maps, blocks))
            self._points.add(self.standard.rows(x), y)
        elif self._windows is not None:
            laid = self.standard(maps).contiguous()
            if chosen is None:
                self._windows.add(laid, blocks, photos)
            else:
                self._windows.add_some(laid, blocks, photos, list(chosen))

    def _choose(self, photos: Sequence[int], places: int) -> Int64[Tensor, "n p"] | None:
        """Random places of photos of these numbers; None for all."""
        if self.positions is None or self.positions >= places:
            return None
        # A stream of its own for each photo, so that batch sizes do not matter.
        orders = [
            torch.randperm(places, generator=stream(self.seed, photo, "positions"))
            for photo in photos
        ]
        return torch.stack(orders)[:, : self.positions].sort(1).values

    def finish(self) -> NormalEquations:
        """The sums over everything added; call it once."""
        sums = self._points or self._windows
        assert sums is not None
        return sums.finish()


class PixelBlocks:
    """A batch of photos as blocks of pixels, less 127.5; made once for all layers of a stride."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self.size = (pixels.shape[2], pixels.shape[3])
        self._made: dict[tuple[int, torch.dtype], Tensor] = {}

    def beside(self, maps: Maps, alignment: Alignment) -> tuple[Tensor, Tensor]:
        """Maps and pixels on one grid: a column of features per block of pixels."""
        key = (alignment.stride, real(maps).dtype)
        if key not in self._made:
            self._made[key] = to_blocks(self.pixels.to(key[1]) - GREY, alignment.stride)
        return on_blocks(maps, alignment, self.size), self._made[key]


def _rows(
    values: Float[Tensor, "N C p"], photos: Sequence[int], places: Int64[Tensor, "n q"] | None
) -> Float[Tensor, "m C"]:
    """One row per photo and place."""
    if places is None:
        return values.index_select(0, torch.tensor(list(photos))).transpose(1, 2).flatten(0, 1)
    chosen = zip(photos, places, strict=True)
    return torch.cat([values[photo].index_select(1, at) for photo, at in chosen], 1).T


class _PointSums:
    """Sums of single positions: products in the rows' precision, many rows at a time."""

    def __init__(self, channels: int, targets: int) -> None:
        self._gram = torch.zeros(channels, channels, dtype=torch.float64)
        self._cross = torch.zeros(channels, targets, dtype=torch.float64)
        self._sum_x = torch.zeros(channels, dtype=torch.float64)
        self._sum_y = torch.zeros(targets, dtype=torch.float64)
        self._sum_yy = torch.zeros((), dtype=torch.float64)
        self.count = 0
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._rows = 0

    def add(self, x: Float[Tensor, "n P"], y: Float[Tensor, "n Q"]) -> None:
        self.count += len(x)
        self._rows += len(x)
        self._waiting.append((x, y))
        if self._rows >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        x, y = (torch.cat(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting, self._rows = [], 0
        # The upper triangle, in bands; `finish` mirrors it.
        band = max(-(-x.shape[1] // 8), 128)
        for start in range(0, x.shape[1], band):
            stop = start + band
            self._gram[start:stop, start:] += x[:, start:stop].T @ x[:, start:]
        self._cross += x.T @ y
        self._sum_x += x.sum(0, dtype=torch.float64)
        self._sum_y += y.sum(0, dtype=torch.float64)
        self._sum_yy += y.square().sum(dtype=torch.float64)

    def finish(self) -> NormalEquations:
        self._flush()
        gram = self._gram.triu()
        gram += gram.triu(1).T
        return NormalEquations(
            gram, self._cross, self._sum_x, self._sum_y, float(self._sum_yy), self.count
        )
