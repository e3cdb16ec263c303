"""The least-squares decoder: the best linear map from windows of feature maps to pixels.

One linear map with an intercept takes the k×k window of features around a position to the block
of stride × stride pixels that it stands for. It is the best decoder of one linear layer, found in
closed form in one pass over the photos, without a learning rate or epochs: a yardstick for
decoders that are trained.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from preimage.decoders.window_sums import NormalEquations, WindowMoments
from preimage.network.laws import stream
from preimage.network.plain_data import require_keys
from preimage.network.trace import Alignment, Size

Pixels = Float[Tensor, "N D H W"]
Maps = Float[Tensor, "N C h w"]

RIDGES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
HELD_BACK = 5  # one photo in so many chooses the ridge
_MEAN = 127.5  # taken from the pixels before they are summed: products lose fewer digits


@dataclass(frozen=True)
class FitRecord:
    """How a least-squares decoder was found.

    `held_back_mse`: for each of `ridges` the mean squared error (grey levels², outputs not
    clipped) on the `held_back` photos of a fit to the others, None where the ridge was too small
    to solve. `ridge` has the least; the decoder is then fitted with it to all `photos`.
    `samples` counts windows.
    """

    ridge: float
    ridges: tuple[float, ...]
    held_back_mse: tuple[float | None, ...]
    photos: int
    held_back: int
    samples: int


class LeastSquaresDecoder(nn.Module):
    """Pixels from feature maps: one convolution to a block's pixels, blocks laid side by side.

    Buffers: `weight` (D·s², C, k, k) and `bias` (D·s²), s the stride and D the image's channels.
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        weight: Float[Tensor, "Q C K K"],
        bias: Float[Tensor, " Q"],
        alignment: Alignment,
        record: FitRecord,
    ) -> None:
        super().__init__()
        block = alignment.stride**2
        if weight.shape[0] != bias.shape[0] or weight.shape[0] % block or weight.shape[-1] % 2 == 0:
            raise ValueError(
                f"a decoder of stride {alignment.stride} has an odd window and {block} outputs for "
                f"each channel of the image; got weight {tuple(weight.shape)}, bias "
                f"{tuple(bias.shape)}."
            )
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", bias)
        self.alignment, self.record = alignment, record

    @property
    def window(self) -> int:
        """The side k of the window of features."""
        return self.weight.shape[-1]

    def forward(self, features: Maps, size: Size) -> Pixels:
        """Images of this (height, width), in [0, 255] but not clipped.

        Raises:
            ValueError: the wrong number of channels.
        """
        if features.shape[1] != self.weight.shape[1]:
            raise ValueError(
                f"this decoder takes features of {self.weight.shape[1]} channels, got "
                f"{tuple(features.shape)}; decode with the encoder that it was fitted to."
            )
        maps = _on_blocks(features, self.alignment, size)
        maps = maps.contiguous(memory_format=torch.channels_last)
        blocks = F.conv2d(maps, self.weight, self.bias, padding=self.window // 2)
        return F.pixel_shuffle(blocks, self.alignment.stride)[..., : size[0], : size[1]]

    def tensors(self) -> dict[str, Tensor]:
        """The weights, for a file; with `metadata`, all that `from_parts` needs."""
        return {"weight": self.weight.contiguous(), "bias": self.bias}

    def metadata(self) -> dict[str, Any]:
        """What JSON can hold: the alignment, the window, how it was fitted."""
        return {
            "stride": self.alignment.stride,
            "shift": self.alignment.shift,
            "window": self.window,
            "fit": asdict(self.record),
        }

    @classmethod
    def from_parts(
        cls, tensors: dict[str, Tensor], metadata: dict[str, Any]
    ) -> "LeastSquaresDecoder":
        """The decoder whose `tensors()` and `metadata()` these are.

        Raises:
            ValueError: something is missing, unknown, or of the wrong shape.
        """
        require_keys(tensors, ("weight", "bias"), "a least-squares decoder's tensors")
        require_keys(
            metadata, ("stride", "shift", "window", "fit"), "a least-squares decoder's metadata"
        )
        fit = metadata["fit"]
        names = list(FitRecord.__dataclass_fields__)
        require_keys(fit, names, "the record of a fit")
        lists = {name: tuple(fit[name]) for name in ("ridges", "held_back_mse")}
        weight, bias = tensors["weight"], tensors["bias"]
        window = metadata["window"]
        if weight.ndim != 4 or bias.ndim != 1 or weight.shape[-2:] != (window, window):
            raise ValueError(
                f"expected weight (Q, C, {window}, {window}) and bias (Q), got "
                f"{tuple(weight.shape)} and {tuple(bias.shape)}."
            )
        alignment = Alignment(metadata["stride"], metadata["shift"])
        return cls(weight, bias, alignment, FitRecord(**{**fit, **lists}))


def fit_least_squares(
    encoder: Callable[[Tensor], Tensor],
    batches: Iterable[Tensor],
    alignment: Alignment,
    *,
    window: int = 3,
    positions: int | None = None,
    ridges: Sequence[float] = RIDGES,
    seed: int = 0,
) -> LeastSquaresDecoder:
    """The least-squares decoder of an encoder, from one pass over photos.

    Minimises `Σ |y − Wᵀx − b|² + λ |W|²` over the positions of all photos: x the k×k window of
    features, zeros beyond the border, y the block of pixels. λ is a ridge times the mean diagonal
    of the centred Gram matrix; the ridge is chosen on every fifth photo by a fit to the others, and
    the result fitted to all. A last block that reaches beyond the photo takes part whole, the
    photo's last row and column repeated; what reaches beyond is cropped from the output. (Left out,
    these blocks come out wrong: no other window has the border there.)

        >>> import torch
        >>> from preimage import build, vgg16
        >>> from preimage.network.trace import alignment
        >>> encoder = build(vgg16().scale_width(1 / 16).cut("conv2"))
        >>> photos = 255 * torch.rand(10, 3, 31, 20, generator=torch.Generator().manual_seed(0))
        >>> decoder = fit_least_squares(encoder, [photos], alignment(encoder.description))
        >>> decoder(encoder(photos), (31, 20)).shape
        torch.Size([10, 3, 31, 20])

    Args:
        encoder: pixels (N, D, H, W) in [0, 255] to feature maps (N, C, h, w).
        batches: photos, read once; sizes may differ between batches.
        alignment: `preimage.network.trace.alignment` of the encoder's description.
        window: the side k of the window, odd. Memory is that of three (k·k·C)² float64 matrices.
        positions: at most so many random positions a photo; None takes all.
        ridges: to choose from; with a single one no photo is held back.
        seed: of the positions.

    Raises:
        ValueError: no photos, fewer windows than weights, NaN or infinite values, another number
            of channels from batch to batch, or no ridge that can be solved.
    """
    _check_arguments(window, positions, ridges)
    sums = _Sums(alignment, window, positions, seed, HELD_BACK if len(ridges) > 1 else 0)
    with torch.no_grad():
        for pixels in batches:
            sums.add(pixels, encoder(pixels))
        return sums.solve(tuple(float(ridge) for ridge in ridges))


def _check_arguments(window: int, positions: int | None, ridges: Sequence[float]) -> None:
    if window < 1 or window % 2 == 0:
        raise ValueError(f"`window` must be odd and positive, got {window}.")
    if positions is not None and positions < 1:
        raise ValueError(f"`positions` must be positive or None for all, got {positions}.")
    if not ridges or not all(ridge >= 0 for ridge in ridges):
        raise ValueError(f"`ridges` must be one or more numbers from 0 on, got {tuple(ridges)}.")


class _Sums:
    """Normal equations of the photos to fit to and of those held back."""

    def __init__(
        self, alignment: Alignment, window: int, positions: int | None, seed: int, held_back: int
    ) -> None:
        self.alignment, self.window, self.positions = alignment, window, positions
        self.every = held_back
        self.seed = seed
        self.parts: list[WindowMoments] = []  # to fit to; held back
        self.photos = [0, 0]
        self.shape = (0, 0)  # channels of the features and of the photos
        self.dtype = torch.float32

    def add(self, pixels: Pixels, features: Maps) -> None:
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        shape = (features.shape[1], pixels.shape[1])
        if not self.parts:
            self.shape, self.dtype = shape, features.dtype
            outputs = shape[1] * self.alignment.stride**2
            self.parts = [
                WindowMoments(shape[0], outputs, self.window, features.device)
                for _ in range(2 if self.every else 1)
            ]
        if shape != self.shape:
            raise ValueError(
                f"all batches must have the same channels: features and photos had {self.shape} "
                f"of them, now {shape}."
            )
        maps = _on_blocks(features, self.alignment, (pixels.shape[2], pixels.shape[3]))
        targets = _blocks(pixels.to(features.dtype) - _MEAN, self.alignment.stride)
        first = sum(self.photos)
        for index, photos in enumerate(self._split(first, len(maps))):
            self.photos[index] += len(photos)
            if not photos:
                continue
            if self.positions is None or self.positions >= maps.shape[2] * maps.shape[3]:
                self.parts[index].add(maps, targets, photos)
            else:
                chosen = [self._choose(first + photo, maps) for photo in photos]
                self.parts[index].add_some(maps, targets, photos, chosen)

    def _split(self, first: int, count: int) -> tuple[list[int], list[int]]:
        """Which photos of a batch to fit to, and which to hold back."""
        held = [i for i in range(count) if self.every and (first + i) % self.every == 1]
        return [i for i in range(count) if i not in held], held

    def _choose(self, photo: int, maps: Maps) -> Int64[Tensor, " n"]:
        # A stream of its own for each photo, so that batch sizes do not matter.
        generator = stream(self.seed, photo, "positions")
        order = torch.randperm(maps.shape[2] * maps.shape[3], generator=generator)
        return order[: self.positions].to(maps.device)

    def solve(self, ridges: tuple[float, ...]) -> LeastSquaresDecoder:
        self._check_enough()
        equations = [part.finish() for part in self.parts]
        self.parts = []
        errors: tuple[float | None, ...] = ()
        ridge = ridges[0]
        if len(equations) == 2:
            errors = tuple(_held_back_error(equations[0], equations[1], c) for c in ridges)
            scored = zip(errors, ridges, strict=True)
            ridge = min(((e, r) for e, r in scored if e is not None), default=(0.0, ridge))[1]
        total = equations[0] if len(equations) == 1 else equations[0] + equations[1]
        del equations
        solution = total.solve(ridge)
        if solution is None:
            raise ValueError(
                f"the Gram matrix is singular with every ridge of {ridges}; give larger ones."
            )
        weight, bias = solution
        weight = weight.view(self.window, self.window, self.shape[0], -1).permute(3, 2, 0, 1)
        return LeastSquaresDecoder(
            weight.to(self.dtype),
            (bias + _MEAN).to(self.dtype),
            self.alignment,
            FitRecord(ridge, ridges, errors, sum(self.photos), self.photos[1], total.count),
        )

    def _check_enough(self) -> None:
        if not self.parts:
            raise ValueError("there are no photos to fit to; give at least two.")
        if self.every and not self.photos[1]:
            raise ValueError(
                "choosing a ridge takes two photos or more; give more, or a single ridge."
            )
        needed = self.window**2 * self.shape[0]
        count = sum(part.count for part in self.parts)
        if count <= needed:
            raise ValueError(
                f"a window of {self.window}×{self.window}×{self.shape[0]} features has {needed} "
                f"weights for each pixel, but there are only {count} windows to fit to; give more "
                "photos, more positions or a smaller window."
            )


def _held_back_error(
    fit: NormalEquations, held_back: NormalEquations, ridge: float
) -> float | None:
    """Mean squared error a pixel on the photos held back; None where the fit can't be solved."""
    solution = fit.solve(ridge)
    if solution is None:
        return None
    return held_back.squared_error(*solution) / (held_back.count * len(held_back.sum_y))


def _on_blocks(features: Maps, alignment: Alignment, size: Size) -> Float[Tensor, "N C H W"]:
    """One feature vector a block of pixels: maps shifted, the last one repeated where none lies."""
    stride, shift = alignment
    height, width = (-(-length // stride) for length in size)
    if shift == 0 and features.shape[2:] == (height, width):
        return features
    device = features.device
    rows = (torch.arange(height, device=device) - shift).clamp(0, features.shape[2] - 1)
    columns = (torch.arange(width, device=device) - shift).clamp(0, features.shape[3] - 1)
    return features[:, :, rows][:, :, :, columns]


def _blocks(pixels: Pixels, stride: int) -> Float[Tensor, "N Q h w"]:
    """Pixels gathered in blocks, the last row and column repeated to fill the last block."""
    height, width = (
        torch.arange(-(-length // stride) * stride, device=pixels.device).clamp(max=length - 1)
        for length in pixels.shape[2:]
    )
    return F.pixel_unshuffle(pixels[:, :, height][:, :, :, width], stride)
