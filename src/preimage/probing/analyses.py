"""What is computed of each layer beside its errors, where it is asked for, in the scoring pass."""

from collections.abc import Callable, Mapping

from jaxtyping import Float
from torch import Tensor

from preimage.probing.bands import Bands, BandSums
from preimage.probing.correlations import Correlations, PictureComponents
from preimage.probing.leakage import LeakageCurve
from preimage.probing.leakage_sums import MapSums, leakage_sums
from preimage.probing.linear import LinearDecoder
from preimage.probing.vectors import VectorDecoder

Pixels = Float[Tensor, "N 3 H W"]


class Analyses:
    """Of all layers of one network: leakage curves, and bands.

    Args:
        training: the photos that the decoders were fitted to.
        positions: random positions per held-out photo that curves rest on; None takes all.
    """

    def __init__(
        self,
        decoders: Mapping[str, LinearDecoder | VectorDecoder],
        training: Pixels,
        positions: int | None,
        leakage: bool,
        bands: bool,
    ) -> None:
        self._leakage = leakage
        self._sums = {
            name: leakage_sums(decoder, training, positions)
            for name, decoder in decoders.items()
            if leakage or (bands and isinstance(decoder, LinearDecoder))
        }
        self._bands = BandSums(training.mean(0)) if bands else None

    def add_photos(self, pixels: Pixels) -> None:
        """A batch of held-out photos, before any layer's."""
        if self._bands:
            self._bands.add_photos(pixels)

    def add(self, layer: str, features: Tensor, pixels: Pixels, output: Pixels) -> None:
        """What a layer gives for them, and what its decoder makes of that."""
        if layer in self._sums:
            self._sums[layer].add(features, pixels)
        if self._bands:
            self._bands.add(layer, output, pixels)

    def leakage(self, layer: str) -> LeakageCurve | None:
        """A layer's curve, all photos added."""
        return self._sums[layer].curve() if self._leakage else None

    def correlations(
        self, layer: str, picture: Callable[[int], PictureComponents]
    ) -> Correlations | None:
        """A layer's correlations with the picture, all photos added; None for vectors.

        Args:
            picture: the components of blocks of a stride.
        """
        sums = self._sums.get(layer)
        if self._bands is None or not isinstance(sums, MapSums):
            return None
        return sums.correlations(picture(sums.stride))

    def forget(self, layer: str) -> None:
        """Gives up a layer's sums."""
        self._sums.pop(layer, None)

    def bands(self, layer: str) -> Bands | None:
        """What a layer retains by frequency and colour."""
        return self._bands.bands(layer) if self._bands else None
