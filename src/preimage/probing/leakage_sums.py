"""What held-out photos add up to: from the linear rung's two passes to a curve and correlations."""

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.decoders.normal_equations import NormalEquations
from preimage.probing.block_sums import BlockSums, PixelBlocks
from preimage.probing.correlations import Correlations, PictureComponents, correlations
from preimage.probing.leakage import LeakageCurve, leakage_curve
from preimage.probing.linear import LinearDecoder
from preimage.probing.moments import Moments, crosses, moments, noise_units
from preimage.probing.vectors import VectorDecoder, equations_of, spectrum

Pixels = Float[Tensor, "N 3 H W"]


class MapSums:
    """Of maps: sums over positions."""

    def __init__(self, decoder: LinearDecoder, positions: int | None = None) -> None:
        self._decoder = decoder
        form = decoder.standard, decoder.alignment, decoder.window
        self._sums = BlockSums(*form, positions)
        self._photos = 0
        self._grid = (1, 1)

    def add(self, features: Tensor, pixels: Pixels) -> None:
        """A batch of held-out photos."""
        laid, blocks = PixelBlocks(pixels).beside(features, self._decoder.alignment)
        self._sums.add(laid, blocks, range(len(laid)), self._photos)
        self._photos += len(laid)
        self._grid = (laid.shape[2], laid.shape[3])

    @property
    def stride(self) -> int:
        """Side of a position's block of pixels."""
        return self._decoder.alignment.stride

    @cached_property
    def _all(self) -> tuple[NormalEquations, Float[Tensor, " P"]]:
        """Held-out sums, and the unit of each feature."""
        decoder = self._decoder
        unit = noise_units(decoder.equations, decoder.standard.channels, self._grid)
        return self._sums.finish(), unit

    @cached_property
    def moments(self) -> Moments:
        """Of standardised windows and their blocks."""
        decoder, (held_out, unit) = self._decoder, self._all
        channels, values = decoder.standard.channels, len(decoder.equations.sum_y)
        return moments(decoder.equations, held_out, unit, channels, values, decoder.ridge)

    def curve(self) -> LeakageCurve:
        """The layer's curve."""
        decoder = self._decoder
        whole = decoder.standard.mixing is None
        return leakage_curve(self.moments, 1 / decoder.alignment.stride**2, prune=whole)

    def correlations(self, picture: PictureComponents) -> Correlations:
        """With the components of blocks of the layer's stride."""
        held_out, unit = self._all
        crossed = crosses(self._decoder.equations, held_out, unit)
        return correlations(self.moments, *crossed, picture)


class VectorSums:
    """Of vectors: sums over photos, with the energy of the frequencies that are never decoded."""

    def __init__(self, decoder: VectorDecoder, training: Pixels) -> None:
        self._decoder, self._training = decoder, training
        self._parts: list[NormalEquations] = []
        self._beyond = 0.0

    def add(self, features: Tensor, pixels: Pixels) -> None:
        """A batch of held-out photos."""
        decoder = self._decoder
        coordinates = decoder.coordinates(features)
        self._parts.append(equations_of(coordinates, spectrum(pixels)))
        self._beyond += decoder.beyond(pixels) * len(pixels)

    def curve(self) -> LeakageCurve:
        """The layer's curve."""
        decoder, values = self._decoder, self._training[0].numel()
        held_out = self._parts[0]
        for part in self._parts[1:]:
            held_out = held_out + part
        features = len(decoder.centre)
        rank = len(decoder.weight)
        # The ridge is in units of the mean variance of the features, of which there are more than
        # coordinates.
        ridge = decoder.ridge * rank / features
        beyond = decoder.beyond(self._training), self._beyond / held_out.count
        of = moments(
            decoder.equations,
            held_out,
            torch.ones(rank, dtype=torch.float64),
            rank,
            values,
            ridge,
            (beyond[0] / values, beyond[1] / values),
        )
        prune = decoder.basis is None
        return leakage_curve(of, 3 / values, prune, features_per_position=features)


def leakage_sums(
    decoder: LinearDecoder | VectorDecoder, training: Pixels, positions: int | None = None
) -> MapSums | VectorSums:
    """Sums for the layer that this decoder was fitted to.

    Args:
        training: the photos that it was fitted to.
        positions: random positions per photo; None takes all.
    """
    if isinstance(decoder, LinearDecoder):
        return MapSums(decoder, positions)
    return VectorSums(decoder, training)
