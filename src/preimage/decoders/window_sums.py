"""Second moments of windows of feature maps, from which a least-squares decoder is solved.

A window x(u) contains the k×k feature vectors around position u, zeros beyond the border. A linear
fit of targets y(u) needs only Σ x xᵀ, Σ x yᵀ, Σ x, Σ y, Σ |y|² and the number of positions;
they are summed batch by batch, products in the maps' precision, sums in float64.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from preimage.decoders.arrays import Maps, Targets
from preimage.decoders.normal_equations import NormalEquations

_CHUNK = 2**20  # values of the maps per product: they stay in a core's cache


class WindowMoments:
    """Sums `NormalEquations` from batches of feature maps and targets of the same size.

    If all positions of an image are used, block (a, b) of the Gram matrix, for a and b in the
    window, is

        Σ_u f(u+a) f(u+b)ᵀ = R(b − a) − Σ_{u outside} f(u+a) f(u+b)ᵀ,   R(δ) = Σ_v f(v) f(v+δ)ᵀ

    where f is zero beyond the border and "outside" are the positions beyond it whose window still
    reaches the image. R has (2k−1)² blocks, half of them transposes of the others; the Gram matrix
    has k⁴. Memory: the Gram matrix and one batch.
    """

    def __init__(
        self,
        channels: int,
        targets: int,
        window: int,
        device: torch.device | str = "cpu",
    ) -> None:
        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device=device)

        self.channels, self.window = channels, window
        self._lags = zeros(window, 2 * window - 1, channels, channels)  # R(δ), δ from (0, 1 − k)
        self._gram = zeros(*(window, window, channels) * 2)  # what is not in the lags
        self._cross = zeros(channels, window, window, targets + 1)  # the last column: Σ x
        self._sum_y = zeros(targets + 1)
        self._sum_yy = zeros()
        self._grid: _Grid | None = None  # its memory is reused by the next batch

    @property
    def count(self) -> int:
        """The number of positions so far."""
        return int(self._sum_y[-1])

    def add(self, maps: Maps, targets: Targets, photos: Sequence[int]) -> None:
        """Adds all positions of these photos of a batch."""
        grid = self._lay_out(maps, photos)
        y = _with_one(targets[list(photos)])
        around = grid.targets_around(y)
        rows = max(_CHUNK // self.channels, 4096)
        for start in range(0, grid.positions, rows):
            stop = min(start + rows, grid.positions)
            self._add_lags(grid, start, stop)
            cross = grid.values[start:stop].T @ around[start:stop].flatten(1)
            self._cross += cross.view(self._cross.shape).flip(1, 2)
        self._subtract_outside(grid)
        self._add_targets(y)

    def add_some(
        self,
        maps: Maps,
        targets: Targets,
        photos: Sequence[int],
        positions: Sequence[Int64[Tensor, " n"]],
    ) -> None:
        """Adds some positions of each of these photos, numbered row by row."""
        grid = self._lay_out(maps, photos)
        places = torch.cat([grid.places(i, chosen) for i, chosen in enumerate(positions)])
        x = grid.windows[places].flatten(1)  # (n, P)
        flat = _with_one(targets.flatten(2))
        y = torch.cat(
            [flat[photo][:, at].T for photo, at in zip(photos, positions, strict=True)]
        )  # (n, Q + 1)
        gram = self._gram.view(x.shape[1], -1)
        block = self.window * self.channels
        for start in range(0, len(gram), block):  # the upper triangle; `finish` mirrors it
            gram[start : start + block, start:] += x[:, start : start + block].T @ x[:, start:]
        cross = (x.T @ y).view(self.window, self.window, self.channels, -1)
        self._cross += cross.permute(2, 0, 1, 3)
        self._add_targets(y)

    def finish(self) -> NormalEquations:
        """The sums over everything added; reuses this object's memory, so call it once."""
        k = self.window
        places = [divmod(place, k) for place in range(k * k)]
        for a, here in enumerate(places):
            for there in places[a:]:
                block = self._gram[(*here, slice(None), *there)]
                block += self._lags[there[0] - here[0], there[1] - here[1] + k - 1]
                if there != here:
                    self._gram[(*there, slice(None), *here)] = block.T
        gram = self._gram.flatten(0, 2).flatten(1)
        cross = self._cross.permute(1, 2, 0, 3).flatten(0, 2)
        return NormalEquations(
            gram,
            cross[:, :-1].contiguous(),
            cross[:, -1].contiguous(),
            self._sum_y[:-1],
            float(self._sum_yy),
            self.count,
        )

    def _lay_out(self, maps: Maps, photos: Sequence[int]) -> "_Grid":
        self._grid = _Grid(maps, photos, self.window, self._grid)
        return self._grid

    def _add_targets(self, y: Float[Tensor, "..."]) -> None:
        self._sum_y += y.movedim(1, -1).flatten(0, -2).sum(0, dtype=torch.float64)
        self._sum_yy += y[:, :-1].square().sum(dtype=torch.float64)
        if not (self._cross[..., -1].isfinite().all() and self._sum_yy.isfinite()):
            raise ValueError("the features or the photos contain NaN or infinite values.")

    def _add_lags(self, grid: "_Grid", start: int, stop: int) -> None:
        k = self.window
        values = grid.values[start:stop].T
        for i in range(k):
            for j in range(1 - k if i else 0, k):
                shift = grid.shift(i, j)
                self._lags[i, j + k - 1] += values @ grid.values[start + shift : stop + shift]

    def _subtract_outside(self, grid: "_Grid") -> None:
        """Subtracts the positions outside the images, which the lags contain, from the Gram."""
        windows = grid.windows.view(
            *grid.shape, *grid.windows.shape[1:]
        )  # (N, h + k − 1, w + k − 1, k, k, C)
        reach = self.window // 2
        for depth in range(reach):
            # `depth` rows before the first window that lies inside sees its last rows only.
            near, far = slice(2 * reach - depth, None), slice(None, depth + 1)
            inside, every = slice(reach, -reach), slice(None)
            for at, seen in ((depth, near), (-1 - depth, far)):
                self._subtract(windows[:, at, :, seen], (seen, every))
                self._subtract(windows[:, inside, at, :, seen], (every, seen))

    def _subtract(self, windows: Tensor, seen: tuple[slice, slice]) -> None:
        part = self._gram[(*seen, slice(None), *seen)]
        x = windows.flatten(0, 1).flatten(1)  # (n, values seen)
        part -= (x.T @ x).view(part.shape)


class _Grid:
    """Feature maps laid out so that a shift in the image is a shift in memory.

    `values` (pixels, C): k − 1 rows of zeros above each map and k − 1 zeros left of each row serve
    as the padding of what comes before, too. Position v, inside an image or up to k // 2 beyond,
    has the window `windows[v]` (k, k, C), whose value at (i, j) is `values[v + shift(i, j)]`.
    """

    memory: Tensor

    def __init__(
        self, maps: Maps, photos: Sequence[int], window: int, before: "_Grid | None" = None
    ) -> None:
        _, channels, self.height, self.width = maps.shape
        self.window, pad = window, window - 1
        self.row = self.width + pad
        self.shape: tuple[int, int, int] = (len(photos), self.height + pad, self.row)
        self.positions = math.prod(self.shape)
        length = self.positions + self.shift(pad, pad)
        if before and before.can_hold(self.shape, length, maps):
            self.memory = before.memory  # its zeros are where this grid's are
        else:
            self.memory = maps.new_zeros(length, channels)
        self.values = self.memory[:length]
        inside = self.values[: self.positions].view(*self.shape, channels)
        for place, photo in zip(inside, photos, strict=True):
            place[pad:, pad:] = maps[photo].permute(1, 2, 0)
        self.windows = self._windows(self.values)

    def can_hold(self, shape: tuple[int, int, int], length: int, maps: Maps) -> bool:
        """Whether these maps can be laid out in this grid's memory."""
        return (
            self.shape[1:] == shape[1:]
            and len(self.memory) >= length
            and self.memory.shape[1] == maps.shape[1]
            and self.memory.dtype == maps.dtype
        )

    def shift(self, i: int, j: int) -> int:
        return i * self.row + j

    def places(self, photo: int, positions: Int64[Tensor, " n"]) -> Int64[Tensor, " n"]:
        """Positions of the layout, for positions inside a map, numbered row by row."""
        reach = self.window // 2
        row, column = positions // self.width + reach, positions % self.width + reach
        return (photo * self.shape[1] + row) * self.row + column

    def targets_around(self, targets: Targets) -> Float[Tensor, "n K K Q"]:
        """At value v, the targets of the positions that see it, zeros for those outside.

        The target at (k − 1 − i, k − 1 − j) is that of the position which has v at (i, j).
        """
        pad, reach = self.window - 1, self.window // 2
        before = self.shift(pad, pad)
        out = targets.new_zeros(before + self.positions, targets.shape[1])
        inside = out[before:].view(*self.shape, -1)
        rows, columns = slice(reach, reach + self.height), slice(reach, reach + self.width)
        inside[:, rows, columns] = targets.permute(0, 2, 3, 1)
        return self._windows(out)

    def _windows(self, values: Float[Tensor, "n C"]) -> Float[Tensor, "m K K C"]:
        channels, k = values.shape[1], self.window
        return values.as_strided(
            (self.positions, k, k, channels), (channels, self.row * channels, channels, 1)
        )


def _with_one(targets: Float[Tensor, "N Q ..."]) -> Float[Tensor, "N R ..."]:
    """Targets followed by a constant 1, whose products are sums."""
    return torch.cat([targets, torch.ones_like(targets[:, :1])], 1)
