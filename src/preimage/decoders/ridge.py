"""Fitting the least-squares decoder: ridge regression, with a ridge chosen on held-back photos.

All is solved from sums: the photos pass by once, and the error on those held back is a quadratic
form in their own sums, so that trying a ridge costs no second pass.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from jaxtyping import Int64
from torch import Tensor

from preimage.decoders.arrays import Maps, Photos
from preimage.decoders.blocks import on_blocks, to_blocks
from preimage.decoders.least_squares import FitRecord, LeastSquaresDecoder
from preimage.decoders.normal_equations import NormalEquations
from preimage.decoders.window_sums import WindowMoments
from preimage.network.device import full_precision
from preimage.network.laws import stream
from preimage.network.trace import Alignment

#: Powers of ten around those that the layers of VGG16 chose, 1e-7 at Conv1 to 1e-3 at Conv5
#: (benchmarks/RESULTS-decoders.md); a handful of photos takes 0.1.
RIDGES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
HELD_BACK = 5  # every fifth photo is held back to choose the ridge
_MEAN = 127.5  # taken from the pixels before they are summed: products lose fewer digits


def fit_least_squares(
    encoder: Callable[[Tensor], Tensor],
    batches: Iterable[Tensor],
    alignment: Alignment | None = None,
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
        >>> encoder = build(vgg16().scale_width(1 / 16).cut("conv2"))
        >>> photos = 255 * torch.rand(10, 3, 31, 20, generator=torch.Generator().manual_seed(0))
        >>> decoder = fit_least_squares(encoder, [photos])
        >>> decoder(encoder(photos), (31, 20)).shape
        torch.Size([10, 3, 31, 20])

    Args:
        encoder: pixels (N, D, H, W) in [0, 255] to feature maps (N, C, h, w): an `Encoder`, that
            is the network of a description or `preimage.probing.layer_encoder` of any module; or a
            function.
        batches: photos, read once; sizes may differ between batches.
        alignment: of the features on the photo; the encoder's own if not given, which a function
            has not.
        window: the side k of the window, odd. Memory is that of three (k·k·C)² float64 matrices.
        positions: the number of random positions taken per photo; None takes all.
        ridges: to choose from; with a single one no photo is held back.
        seed: of the positions.

    Raises:
        ValueError: no alignment, no photos, fewer windows than weights, NaN or infinite values,
            another number of channels from batch to batch, or no ridge that can be solved.
    """
    _check_arguments(window, positions, ridges)
    alignment = _alignment(encoder) if alignment is None else alignment
    sums = PhotoSums(alignment, window, positions, seed, HELD_BACK if len(ridges) > 1 else None)
    with torch.no_grad():
        for photos in batches:
            with full_precision(photos.device):
                features = encoder(photos)
            sums.add(photos, features)
        return _solve(sums, tuple(float(ridge) for ridge in ridges))


def _alignment(encoder: object) -> Alignment:
    found = getattr(encoder, "alignment", None)
    if not isinstance(found, Alignment):
        raise ValueError(
            "`alignment`: where the features lie on the photo is not known of this encoder; give "
            "Alignment(stride, shift), or take a layer of a module with "
            "preimage.probing.layer_encoder, which measures it."
        )
    return found


def _check_arguments(window: int, positions: int | None, ridges: Sequence[float]) -> None:
    if window < 1 or window % 2 == 0:
        raise ValueError(f"`window` must be odd and positive, got {window}.")
    if positions is not None and positions < 1:
        raise ValueError(f"`positions` must be positive or None for all, got {positions}.")
    if not ridges or not all(ridge >= 0 for ridge in ridges):
        raise ValueError(f"`ridges` must be one or more numbers from 0 on, got {tuple(ridges)}.")


class PhotoSums:
    """Window sums of the photos to fit to, and of those held back, if any are.

    Args:
        held_back: of every `held_back` photos the second is held back; None holds none back.
    """

    def __init__(
        self,
        alignment: Alignment,
        window: int,
        positions: int | None,
        seed: int,
        held_back: int | None,
    ) -> None:
        self.alignment, self.window, self.positions = alignment, window, positions
        self.seed, self.every = seed, held_back
        self.fitted: WindowMoments | None = None
        self.held: WindowMoments | None = None
        self.num_fitted = self.num_held = 0  # photos
        self.channels = (0, 0)  # of the features and of the photos
        self.dtype = torch.float32

    def add(self, photos: Photos, features: Maps) -> None:
        """The windows of a batch: all of them, or some positions of each photo."""
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        self._begin(features, photos.shape[1])
        assert self.fitted is not None
        maps = on_blocks(features, self.alignment, (photos.shape[2], photos.shape[3]))
        targets = to_blocks(photos.to(features.dtype) - _MEAN, self.alignment.stride)
        first = self.num_fitted + self.num_held
        numbers = range(first, first + len(maps))
        held = [i for i, number in enumerate(numbers) if self._is_held_back(number)]
        fitted = [i for i, number in enumerate(numbers) if not self._is_held_back(number)]
        self._add(self.fitted, maps, targets, fitted, first)
        if self.held is not None:
            self._add(self.held, maps, targets, held, first)
        self.num_fitted += len(fitted)
        self.num_held += len(held)

    def _begin(self, features: Maps, image_channels: int) -> None:
        """Makes room at the first batch; at the others, checks that they have its channels."""
        channels = (features.shape[1], image_channels)
        if self.fitted is None:
            self.channels, self.dtype = channels, features.dtype
            outputs = image_channels * self.alignment.stride**2
            sizes = (channels[0], outputs, self.window, features.device)
            self.fitted = WindowMoments(*sizes)
            self.held = WindowMoments(*sizes) if self.every else None
        if channels != self.channels:
            raise ValueError(
                f"all batches must have the same channels: features and photos had {self.channels} "
                f"of them, now {channels}."
            )

    def _is_held_back(self, number: int) -> bool:
        return self.every is not None and number % self.every == 1

    def _add(
        self, sums: WindowMoments, maps: Maps, targets: Tensor, photos: list[int], first: int
    ) -> None:
        if not photos:
            return
        places = maps.shape[2] * maps.shape[3]
        if self.positions is None or self.positions >= places:
            sums.add(maps, targets, photos)
        else:
            chosen = [self._choose(first + photo, places).to(maps.device) for photo in photos]
            sums.add_some(maps, targets, photos, chosen)

    def _choose(self, photo: int, places: int) -> Int64[Tensor, " n"]:
        # A stream of its own for each photo, so that batch sizes do not matter.
        order = torch.randperm(places, generator=stream(self.seed, photo, "positions"))
        return order[: self.positions]

    def finish(self) -> tuple[NormalEquations, NormalEquations | None]:
        """The equations of the photos to fit to and of those held back; frees the sums.

        Raises:
            ValueError: too few photos, or fewer windows than weights.
        """
        if self.fitted is None:
            raise ValueError("there are no photos to fit to; give at least two.")
        if self.held is not None and not self.num_held:
            raise ValueError(
                "choosing a ridge takes two photos or more; give more, or a single ridge."
            )
        needed = self.window**2 * self.channels[0]
        count = self.fitted.count + (self.held.count if self.held else 0)
        if count <= needed:
            raise ValueError(
                f"a window of {self.window}×{self.window}×{self.channels[0]} features has {needed} "
                f"weights for each pixel, but there are only {count} windows to fit to; give more "
                "photos, more positions or a smaller window."
            )
        equations = self.fitted.finish(), self.held.finish() if self.held else None
        self.fitted = self.held = None
        return equations


def _solve(sums: PhotoSums, ridges: tuple[float, ...]) -> LeastSquaresDecoder:
    """The decoder of all photos with the best ridge."""
    total, held_back = sums.finish()
    errors: tuple[float | None, ...] = ()
    ridge = ridges[0]
    if held_back is not None:
        errors = tuple(_held_back_error(total, held_back, ridge) for ridge in ridges)
        scored = zip(errors, ridges, strict=True)
        ridge = min(((e, r) for e, r in scored if e is not None), default=(0.0, ridge))[1]
        total = total + held_back
    del held_back  # its Gram matrix is as large as the one that is solved
    solution = total.solve(ridge)
    if solution is None:
        raise ValueError(
            f"the Gram matrix is singular with every ridge of {ridges}; give larger ones."
        )
    weight, bias = solution
    window, channels = sums.window, sums.channels[0]
    weight = weight.view(window, window, channels, -1).permute(3, 2, 0, 1)
    photos = sums.num_fitted + sums.num_held
    return LeastSquaresDecoder(
        weight.to(sums.dtype),
        (bias + _MEAN).to(sums.dtype),
        sums.alignment,
        FitRecord(ridge, ridges, errors, photos, sums.num_held, total.count),
    )


def _held_back_error(
    fit: NormalEquations, held_back: NormalEquations, ridge: float
) -> float | None:
    """Mean squared error per pixel on the photos held back; None where the fit can't be solved."""
    solution = fit.solve(ridge)
    if solution is None:
        return None
    return held_back.squared_error(*solution) / (held_back.count * len(held_back.sum_y))
