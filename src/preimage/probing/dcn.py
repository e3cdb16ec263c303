"""The DCN rung: a deconvolutional decoder for maps of any layer, trained on its features.

Its picture is the linear decoder's plus what a DCN (`preimage.network.layer_mirror`) reads from the
same features: the DCN starts as nothing, so that training starts where the linear rung ends.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor

from preimage.decoders.blocks import on_blocks
from preimage.decoders.loop import Objective, Training
from preimage.decoders.recipes import Recipe
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.layer_mirror import mirror_of_layer
from preimage.network.operations import Normalise
from preimage.network.trace import Alignment
from preimage.probing.linear import LinearDecoder
from preimage.probing.rungs import DcnOptions
from preimage.probing.views import Views
from preimage.probing.whitening import Whitening, whitening

Pixels = Float[Tensor, "N 3 H W"]
Maps = Float[Tensor, "N C h w"]
Features = Callable[[Pixels], Maps]
_log = logging.getLogger(__name__)
_SLOPE = 0.2  # the paper's leaky ReLU
_WHITENING_PHOTOS = 64


@dataclass(frozen=True)
class DcnDecoder:
    """Pixels from maps: linear(maps), clipped, + gain · scale · DCN(whitened maps).

    Args:
        scale: root mean square of what the linear decoder leaves, in grey levels.
        gain: in [0, 1], solved on photos that nothing was fitted to: 0 where the DCN learned
            nothing that holds for new photos.
    """

    linear: LinearDecoder
    whitening: Whitening
    network: Network
    scale: float
    gain: float = 1.0

    def __call__(self, maps: Maps, size: tuple[int, int]) -> Pixels:
        """Photos of this (height, width), not clipped."""
        return self.linear(maps, size).clamp(0, 255) + self.gain * self.added(maps, size)

    def added(self, maps: Maps, size: tuple[int, int]) -> Pixels:
        """What the DCN adds, in grey levels."""
        blocks = on_blocks(self.whitening(maps), self.linear.alignment, size)
        output: Tensor = self.network(blocks, {"data": size})
        return self.scale * output


class Residual(Objective):
    """The sum of squares of what is left of the pixels, in units of the decoder's `scale`."""

    def __init__(self, network: Network, scale: float) -> None:
        super().__init__()
        self.trained, self.scale = network, scale

    def forward(
        self, pixels: Float[Tensor, "N 3 H W"], labels: Float[Tensor, "N C h w"] | None
    ) -> Float[Tensor, ""]:
        """`pixels` are the linear decoder's residuals, `labels` the features on blocks."""
        size = (pixels.shape[2], pixels.shape[3])
        loss: Tensor = (self.trained(labels, {"data": size}) - pixels / self.scale).square().sum()
        return loss


def train_dcn(
    features: Features,
    linear: LinearDecoder,
    photos: Pixels,
    held_back: Float[Tensor, "M 3 H W"],
    options: DcnOptions,
    on_step: Callable[[int], object] = lambda count: None,
) -> DcnDecoder:
    """The DCN of a layer, trained on photos; what it adds is weighed on those held back.

    Args:
        features: photos in [0, 255] → the layer's maps, without gradients.
        linear: fitted to `photos`.
        held_back: photos that `linear` was not fitted to.
        on_step: called with 1 after each step, for a progress bar.

    Raises:
        ArithmeticError: the loss is not finite.
    """
    few = photos[:_WHITENING_PHOTOS]
    maps = features(few)
    stride, size = linear.alignment.stride, (photos.shape[2], photos.shape[3])
    left = few - linear(maps, size).clamp(0, 255)
    network = build(dcn_description(maps.shape[1], stride, options.width), seed=options.seed)
    torch.nn.init.zeros_(network.weights["output"])
    scale = max(float(left.square().mean().sqrt()), 1e-3)
    decoder = DcnDecoder(linear, whitening(maps), network, scale)
    pairs = partial(_pairs, features, decoder)
    pair = sum(part.numel() for part in pairs(photos[:1])) * 4
    capacity = max(int(options.memory * 2**30 / pair), options.batch_size)
    views = Views(photos, stride, options.views, capacity, options.seed)
    _log.info(
        "%d views of each of %d photos: %.2g GiB of features and pixels, in %d rounds.",
        options.views,
        len(photos),
        pair * options.views * len(photos) / 2**30,
        views.rounds,
    )
    training = Training(Residual(network, scale), _recipe(options), Accelerator(cpu=True))
    for _ in training.run(views.batches(pairs, options.steps, options.batch_size)):
        on_step(1)
    network.eval()
    return replace(decoder, gain=_gain(decoder, features, held_back))


def dcn_description(channels: int, stride: int, width: int) -> Description:
    """The mirror of a layer that returns residuals, not pixels: without the input's undoing.

    Nearest unpooling: at Conv3 of VGG16 at width 1/4 it decodes better than zeros.
    """
    mirror = mirror_of_layer(channels, Alignment(stride), "nearest", width=width)
    kept = tuple(op for op in mirror.operations if not isinstance(op, Normalise))
    return replace(mirror, operations=kept).with_activation(_SLOPE).with_bias()


def _recipe(options: DcnOptions) -> Recipe:
    return Recipe(
        steps=options.steps,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        schedule="cosine",
        warmup=0.02,
    )


def _pairs(features: Features, decoder: DcnDecoder, photos: Pixels) -> tuple[Maps, Pixels]:
    """Whitened maps on blocks, and what the linear decoder leaves, in whole blocks."""
    size = (photos.shape[2], photos.shape[3])
    maps, linear = features(photos), decoder.linear
    left = photos - linear(maps, size).clamp(0, 255)
    below, right = (-length % linear.alignment.stride for length in size)
    blocks = on_blocks(decoder.whitening(maps), linear.alignment, size)
    return blocks, F.pad(left, (0, right, 0, below))


@torch.no_grad()
def _gain(decoder: DcnDecoder, features: Features, photos: Pixels) -> float:
    """The share of what the DCN adds that leaves the least error, from 0 to 1."""
    products = squares = 0.0
    size = (photos.shape[2], photos.shape[3])
    for part in torch.split(photos, 16):
        maps = features(part)
        added = decoder.added(maps, size).double()
        left = part - decoder.linear(maps, size).clamp(0, 255)
        products += float((added * left).sum())
        squares += float(added.square().sum())
    return min(max(products / max(squares, 1e-30), 0.0), 1.0)
