"""One network's layers through the linear rung: one pass to fit, one to score."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from preimage.probing.analyses import Analyses
from preimage.probing.bands import Bands
from preimage.probing.block_sums import PixelBlocks
from preimage.probing.capture import LayerError, Selector, capture, undisturbed
from preimage.probing.controls import another_photo, shuffled_positions
from preimage.probing.correlations import Correlations, PictureComponents, picture_components
from preimage.probing.leakage import LeakageCurve
from preimage.probing.linear import LinearDecoder, LinearSums
from preimage.probing.photos import ProbePhotos
from preimage.probing.preprocessing import Preprocessing
from preimage.probing.targets import Target
from preimage.probing.vectors import VectorDecoder, fit_vectors, spectrum

Pixels = Float[Tensor, "N 3 H W"]
Decoder = LinearDecoder | VectorDecoder
#: One training photo in so many chooses the ridge.
HELD_BACK = 5


@dataclass(frozen=True)
class Experiment:
    """What every network of a probe goes through, the trained one and its twins alike.

    Args:
        window: side of the window of features that a block of pixels is read from, odd.
        batch_size: photos per forward pass.
        positions: random positions per photo that maps are fitted at; None takes all.
        components: principal components of the channels that are left; None leaves the channels.
        leakage: whether leakage curves are computed.
        bands: whether the variance retained is split by frequency, colour and component.
        selectors: for layers with several outputs, which tensor to take.

    Raises:
        ValueError: an even window.
    """

    targets: Sequence[Target]
    preprocessing: Preprocessing
    photos: ProbePhotos
    window: int = 1
    batch_size: int = 8
    positions: int | None = None
    components: int | None = None
    leakage: bool = False
    bands: bool = False
    selectors: Mapping[str, Selector] | None = None

    def __post_init__(self) -> None:
        if self.window < 1 or self.window % 2 == 0:
            raise ValueError(f"`window` must be odd and positive, got {self.window}.")

    @cached_property
    def picture(self) -> Callable[[int], PictureComponents]:
        """The photos' components for layers of a stride, computed once for all networks."""
        photos = self.photos
        return cache(lambda stride: picture_components(photos.training, photos.held_out, stride))


@dataclass
class LayerResult:
    """Mean squared errors per held-out photo, clipped to [0, 255], in squared grey levels.

    Args:
        controls: the same with features that are not the photo's.
        oracle: for vectors, the best picture in the span of the training photos.
        ridge: chosen on the training photos held back.
        pictures: what comes back of the first held-out photos, RGB in [0, 255].
        other: as `mse`, of the photos of another domain.
        leakage: where the experiment asks for it.
        bands: likewise; by frequency and colour.
        correlations: likewise; with the picture's components, for maps and tokens.
    """

    mse: list[float] = field(default_factory=list)
    controls: dict[str, list[float]] = field(default_factory=dict)
    oracle: list[float] = field(default_factory=list)
    ridge: float = 0.0
    pictures: list[Tensor] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    leakage: LeakageCurve | None = None
    bands: Bands | None = None
    correlations: Correlations | None = None


def probe_network(
    model: nn.Module,
    experiment: Experiment,
    *,
    controls: bool = False,
    pictures: int = 0,
    on_photos: Callable[[int], object] = lambda count: None,
) -> dict[str, LayerResult]:
    """The linear rung of all layers of one network.

    Args:
        controls: score features of other photos and of shuffled positions too.
        pictures: of how many held-out photos to keep what comes back.
        on_photos: called with the number of photos of each batch, for a progress bar.

    Raises:
        LayerError: a layer's features can't be taken or decoded.
    """
    photos = experiment.photos
    with undisturbed(model), torch.no_grad():
        decoders = fit_decoders(model, experiment, on_photos)
        results = {name: LayerResult(ridge=decoder.ridge) for name, decoder in decoders.items()}
        analyses = Analyses(
            decoders,
            photos.training,
            experiment.positions,
            experiment.leakage,
            experiment.bands,
        )
        for pixels, found in features_of(model, experiment, photos.held_out, on_photos):
            analyses.add_photos(pixels)
            for name, decoder in decoders.items():
                output = _score(results[name], decoder, found[name], pixels, controls)
                kept = results[name].pictures
                kept += output[: max(pictures - len(kept), 0)].clamp(0, 255).round().byte()
                analyses.add(name, found[name], pixels, output)
        for name, result in results.items():
            result.leakage, result.bands = analyses.leakage(name), analyses.bands(name)
            result.correlations = analyses.correlations(name, experiment.picture)
            analyses.forget(name)
        if photos.other is not None:
            for pixels, found in features_of(model, experiment, photos.other, on_photos):
                for name, decoder in decoders.items():
                    output = decoder(found[name], photos.size)
                    results[name].other += squared_error(output, pixels).tolist()
    return results


def features_of(
    model: nn.Module,
    experiment: Experiment,
    photos: Pixels,
    on_photos: Callable[[int], object] = lambda count: None,
) -> Iterator[tuple[Tensor, Mapping[str, Tensor]]]:
    """Batches of photos with the features of every layer: maps (N, C, h, w) or vectors (N, D).

    Raises:
        LayerError: a layer gives values that are not finite.
    """
    layouts = {target.name: target.layout for target in experiment.targets}
    for pixels in _batches(photos, max(experiment.batch_size, 2)):
        outputs = capture(
            model, list(layouts), experiment.preprocessing(pixels), experiment.selectors
        )
        found = {name: layout.read(outputs[name]) for name, layout in layouts.items()}
        for name, features in found.items():
            if not features.isfinite().all():
                raise LayerError(f"layer {name} gives NaN or infinite features for some photo.")
        yield pixels, found
        on_photos(len(pixels))


def _batches(photos: Pixels, batch_size: int) -> list[Tensor]:
    """Parts of at least two photos, so that each can lend its features to another."""
    parts = list(torch.split(photos.float(), batch_size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


@torch.no_grad()
def fit_decoders(
    model: nn.Module,
    experiment: Experiment,
    on_photos: Callable[[int], object] = lambda count: None,
) -> dict[str, Decoder]:
    """The linear decoder of each layer of one network, in one pass over the training photos.

    Raises:
        LayerError: a layer gives values that are not finite.
    """
    with undisturbed(model):
        batches = features_of(model, experiment, experiment.photos.training, on_photos)
        return _fit(batches, experiment)


def _fit(
    batches: Iterator[tuple[Tensor, Mapping[str, Tensor]]], experiment: Experiment
) -> dict[str, Decoder]:
    targets = experiment.targets
    sums = {
        target.name: LinearSums(
            target.placement.alignment,
            experiment.window,
            experiment.positions,
            experiment.components,
        )
        for target in targets
        if target.placement is not None
    }
    vectors: dict[str, list[Tensor]] = {t.name: [] for t in targets if t.placement is None}
    coefficients: list[Tensor] = []
    done = 0
    for pixels, found in batches:
        held = [(done + i) % HELD_BACK == 1 for i in range(len(pixels))]
        blocks = PixelBlocks(pixels)
        for name, sum_ in sums.items():
            sum_.add(found[name], blocks, held)
        for name, rows in vectors.items():
            rows.append(found[name].float())
        if vectors:
            coefficients.append(spectrum(pixels))
        done += len(pixels)
    held = [i % HELD_BACK == 1 for i in range(done)]
    decoders: dict[str, Decoder] = {name: sum_.solve() for name, sum_ in sums.items()}
    for name, rows in vectors.items():
        decoders[name] = fit_vectors(
            torch.cat(rows), torch.cat(coefficients), held, experiment.photos.training.mean(0)
        )
    return decoders


def _score(
    result: LayerResult, decoder: Decoder, features: Tensor, pixels: Pixels, controls: bool
) -> Pixels:
    """What comes back of a batch, its errors noted."""
    size = (pixels.shape[2], pixels.shape[3])

    def error(output: Tensor) -> list[float]:
        return squared_error(output, pixels).tolist()

    output = decoder(features, size)
    result.mse += error(output)
    if isinstance(decoder, VectorDecoder):
        result.oracle += error(decoder.oracle(pixels))
    if not controls:
        return output
    others = {"another photo's features": another_photo(features)}
    if features.dim() == 4:
        others["shuffled positions"] = shuffled_positions(features, seed=0)
    for name, changed in others.items():
        result.controls.setdefault(name, []).extend(error(decoder(changed, size)))
    return output


def squared_error(output: Pixels, pixels: Pixels) -> Float[Tensor, " N"]:
    """Mean squared error per value of each photo, the output clipped to [0, 255]."""
    return (output.clamp(0, 255) - pixels).double().square().mean((1, 2, 3))
