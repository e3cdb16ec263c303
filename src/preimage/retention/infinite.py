"""What each layer of a random network retains of photos at infinite width: no network is drawn."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from preimage.data.memory import squares_of
from preimage.data.photos import Photos
from preimage.decoders.encoders import cut
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.retention.drawn import split_at_pool
from preimage.retention.filters import MOST_POSITIONS, FilterClasses
from preimage.retention.kernel_ridge import RIDGES, Problem, feature_problem, fit
from preimage.retention.layer import KernelOptions, Layer, layer_problem
from preimage.retention.layer_retention import LayerRetention, decibels
from preimage.retention.mixture import MixtureCurve
from preimage.retention.networks import photo_features
from preimage.retention.nystroem import NOISE, Landmarks, landmark_report
from preimage.retention.positions import distinct, tile_pictures
from preimage.retention.result import Retention
from preimage.retention.width import Radii, WidthCurve


def retention(
    description: Description | Network,
    photos: Photos,
    held_out: Photos,
    layers: Sequence[str] | None = None,
    *,
    size: int = 64,
    widths: Sequence[int] = (),
    ridges: Sequence[float] = RIDGES,
    draws: int = 3,
    options: KernelOptions = KernelOptions(),  # noqa: B008
) -> Retention:
    """The least-squares reconstruction from each layer as the widths grow, in closed form.

    At infinite width the least-squares decoder of a random layer is kernel ridge regression with
    the layer's kernel: no network is drawn, and nothing is sampled but positions of photos.
    Derived in docs/retention.md.

    Args:
        description: an encoder; its numbers of channels do not matter. Or a network, trained or
            drawn: then what it retains itself stands beside its architecture's line, fitted and
            scored at the same positions by the same rule.
        photos: to fit to, in any form that `preimage.load_photos` takes.
        held_out: to score.
        layers: blocks (`conv2`) or convolutions, before any pool behind them; all blocks if None.
        size: photos are cropped to their centre square and resized to this side.
        widths: numbers of channels at which networks' error is predicted, too (`width`).
        ridges: to choose from, as shares of the Gram's trace.
        draws: of the layers before a max or l2 pool, which alone are drawn (`drawn`).
        options: how kernels are computed and kept.

    Raises:
        ValueError: a layer has no kernel, with the reason; too few photos.
    """
    training, scored = (
        squares_of(source, size, argument=name).pixels
        for source, name in ((photos, "photos"), (held_out, "held_out"))
    )
    network = description if isinstance(description, Network) else None
    whole = description.description if isinstance(description, Network) else description
    photo_pair = Pixels(training, scored)
    return Retention(
        tuple(
            _retained(whole.cut(name), name, network, photo_pair, widths, ridges, draws, options)
            for name in layers or whole.blocks
        )
    )


@dataclass(frozen=True)
class Pixels:
    """Photos to fit to, and to score."""

    training: Tensor
    scored: Tensor


def _retained(
    encoder: Description,
    name: str,
    network: Network | None,
    photos: Pixels,
    widths: Sequence[int],
    ridges: Sequence[float],
    draws: int,
    options: KernelOptions,
) -> LayerRetention:
    start = time.perf_counter()
    pair = photos.training, photos.scored
    layer, problem = layer_problem(encoder, *pair, options, label=name)
    found = fit(problem, ridges)
    drawn = [found.mse]
    if split_at_pool(encoder, 1)[0]:
        for draw in range(1, draws):
            again = layer_problem(encoder, *pair, options, draw=draw, label=name)[1]
            drawn.append(fit(again, ridges).mse)
    errors = found.residuals.square().mean(1)
    stride = layer.alignment.stride
    return LayerRetention(
        layer=name,
        alignment=layer.alignment,
        positions=layer.positions,
        fit=found,
        photo_mse=tuple(
            float(errors[problem.held_out_photos == n].mean())
            for n in distinct(problem.held_out_photos)[0]
        ),
        mean_mse=float((problem.held_out - problem.targets.mean(0)).square().mean()),
        drawn_mse=tuple(drawn) if len(drawn) > 1 else (),
        landmarks=_landmarks(layer, problem, ridges, options),
        network_mse=_by_network(network, name, photos, layer, problem, ridges, options),
        learning=learning_curve(problem, ridges),
        curve=width_curve(encoder, problem, widths, ridges, options),
        originals=tile_pictures(problem.held_out, layer.held_out, stride),
        reconstructions=tile_pictures(found.predictions, layer.held_out, stride),
        seconds=time.perf_counter() - start,
    )


def _landmarks(
    layer: Layer, problem: Problem, ridges: Sequence[float], options: KernelOptions
) -> Landmarks | None:
    if layer.landmarks is None:
        return None
    return landmark_report(problem, *layer.landmarks, NOISE[options.dtype], ridges)


def _by_network(
    network: Network | None,
    name: str,
    photos: Pixels,
    layer: Layer,
    problem: Problem,
    ridges: Sequence[float],
    options: KernelOptions,
) -> float | None:
    """The error of a network's own features at the same positions."""
    if network is None:
        return None
    if options.window > 1:
        raise ValueError("a network's own features are read at single positions; take `window` 1.")
    part = cut(network, name)
    fitted, held_out = (
        photo_features(part, pixels, tiles)
        for pixels, tiles in ((photos.training, layer.training), (photos.scored, layer.held_out))
    )
    return fit(feature_problem(fitted, held_out, problem), ridges).mse


def learning_curve(problem: Problem, ridges: Sequence[float]) -> tuple[tuple[int, float], ...]:
    """(positions, PSNR) with a quarter and a half of the training photos; ridges chosen anew."""
    order = distinct(problem.photos)[1]
    points = []
    for share in (4, 2):
        kept = order % share == 0
        if len(distinct(problem.photos[kept])[0]) > 1:
            points.append((int(kept.sum()), decibels(fit(problem.some(kept), ridges).mse)))
    return tuple(points)


def width_curve(
    encoder: Description,
    problem: Problem,
    widths: Sequence[int],
    ridges: Sequence[float],
    options: KernelOptions,
) -> tuple[tuple[int, float], ...]:
    """(width, expected PSNR) of networks, each with the ridge that is best for it."""
    if not widths:
        return ()
    curve = _curve(encoder, problem, options)
    return tuple((width, decibels(curve.best(width, ridges)[0])) for width in widths)


def _curve(encoder: Description, problem: Problem, options: KernelOptions) -> WidthCurve:
    """Classes of the last convolution's filters; none behind a pool or with windows."""
    conv = encoder.convs[-1]
    bare = encoder.operations[-1] is conv and options.window == 1 and options.landmarks is None
    if bare and len(problem.gram) <= MOST_POSITIONS:
        return MixtureCurve(problem, FilterClasses(problem, conv.slope))
    if len(encoder.convs) > 1:
        return WidthCurve(problem)
    return WidthCurve(problem, Radii.of_gaussian(conv.kernel_size**2 * encoder.in_channels))
