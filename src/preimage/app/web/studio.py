"""One request, one call of the library, one answer as JSON: what the worker threads run."""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import isfinite
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from preimage.app.web.again import Again
from preimage.app.web.cache import Cache
from preimage.app.web.costs import require_affordable, require_limit
from preimage.app.web.decoders import DecoderStore, OpenDecoder
from preimage.app.web.diagram import boxes
from preimage.app.web.photos import PhotoStore
from preimage.app.web.pictures import signed, uri
from preimage.app.web.requests import Asked
from preimage.app.web.settings import Bounds
from preimage.data.photo import Photo, clipped_image, fingerprint, to_image
from preimage.decoders.enough_memory import require_decoding
from preimage.decoders.inverter import Inverter
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.network.footprint import weight_bytes
from preimage.network.spec import IMAGENET_MEAN, ReconstructConfig
from preimage.paper.limit_sheet import equally_bright
from preimage.scores.metrics import COLOUR, colour_scores, grey_scores
from preimage.sweeps.pair import RandomPair, run_record
from preimage.sweeps.reconstruction import Reconstruction
from preimage.theory import limit, sampled_limit

_SAMPLES, _REPEATS = 128, 2
Answer = dict[str, Any]


class NoLimit(ValueError):
    """There is no infinite-width limit of what is asked for, or none for a page."""


class Studio:
    """Photos, decoders, and the networks that were built last."""

    def __init__(
        self, photos: PhotoStore, decoders: DecoderStore, again: Again, bounds: Bounds
    ) -> None:
        self.photos = photos
        self.decoders = decoders
        self.again = again
        self.bounds = bounds
        self._pairs = Cache[RandomPair](bounds.maps // 4)

    # --- pictures --------------------------------------------------------------------------------

    def picture(self, asked: Asked) -> Answer:
        """What comes back of a photo: pictures, scores, the network, and how to do it again.

        Raises:
            ValueError: an option does not fit, there is no such photo or decoder, or it would take
                too long or too much memory.
        """
        start = time.perf_counter()
        answer = self._decoded(asked) if asked.decoder else self._random(asked)
        return {
            **answer,
            "query": asked.query(),
            "size": asked.config.size,
            "seconds": round(time.perf_counter() - start, 4),
        }

    def _random(self, asked: Asked) -> Answer:
        result = self.reconstruction(asked)
        upload = self.photos.upload(asked.photo)
        file = None if upload is None else upload.name
        return {
            "grey": uri(to_image(result.grey[None])),
            "colour": uri(to_image(result.colour)) if len(result.colour) == 3 else None,
            "scores": {
                "SSIM": _number(result.ssim),
                "Pearson’s r": _number(result.pearson),
                "PSNR": _number(result.psnr, 1, " dB"),
            },
            "inverted": result.inverted,
            "network": boxes(
                asked.config.network(), len(asked.config.encoder().operations), asked.config.size
            ),
            "python": self.again.python(asked, file),
            "command": self.again.command(asked, file),
        }

    def reconstruction(self, asked: Asked) -> Reconstruction:
        """The library's own result. Raises as `picture`."""
        config = asked.config
        require_affordable(config.network(), config.size, self.bounds)
        return self._pair(config)(self.photos.load(asked.photo, config.size))

    def _pair(self, config: ReconstructConfig) -> RandomPair:
        """The networks, which do not depend on the photo's size."""
        key = replace(config, size=0)
        if (pair := self._pairs.get(key)) is None:
            pair = RandomPair(config)
            self._pairs.put(key, pair, weight_bytes(config.network()))
        return pair

    def _decoded(self, asked: Asked) -> Answer:
        decoder = self.decoders.get(asked.decoder)
        photo, output = self._decode(decoder, asked)
        scores = colour_scores(photo.pixels[None], output[None])
        upload = self.photos.upload(asked.photo)
        file = None if upload is None else upload.name
        return {
            "grey": None,
            "colour": uri(clipped_image(output)),
            "scores": {
                "PSNR": _number(float(scores.psnr), 1, " dB"),
                "SSIM": _number(float(scores.ssim)),
            },
            "inverted": False,
            "network": _decoder_boxes(decoder.inverter, asked.config.size),
            "python": self.again.python(asked, file, decoder),
            "command": self.again.command(asked, file, decoder),
        }

    def _decode(self, decoder: OpenDecoder, asked: Asked) -> tuple[Photo, Tensor]:
        inverter, side = decoder.inverter, asked.config.size
        if (known := _description(inverter)) is not None:
            require_affordable(known, side, self.bounds)
        require_decoding(inverter.encoder, inverter.decoder, (side, side), 1, inverter.device)
        photo = self.photos.load(asked.photo, side)
        output: Tensor = inverter(photo.pixels[None])[0].cpu()
        return photo, output

    def image(self, asked: Asked, colour: bool = False) -> Image.Image:
        """The picture alone, as the library's commands save it. Raises as `picture`."""
        if asked.decoder:
            return clipped_image(self._decode(self.decoders.get(asked.decoder), asked)[1])
        result = self.reconstruction(asked)
        return to_image(result.colour if colour else result.grey[None])

    def record(self, asked: Asked) -> Answer:
        """What it takes to repeat the picture, and its scores. Raises as `picture`."""
        if asked.decoder:
            decoder = self.decoders.get(asked.decoder)
            photo, output = self._decode(decoder, asked)
            scores = colour_scores(photo.pixels[None], output[None])
            return {
                "photo": photo.name,
                "photo_sha256": photo.sha256,
                **{name: float(getattr(scores, name)) for name in ("mse", "psnr", "ssim")},
                "contract": asdict(COLOUR),
                "encoder": decoder.inverter.encoder_card(),
                "decoder": decoder.inverter.card,
            }
        result = self.reconstruction(asked)
        record = result.record()
        return {**record, "run": run_record(asked.config, fingerprint([record["photo_sha256"]]))}

    # --- infinite width --------------------------------------------------------------------------

    def limit(self, asked: Asked) -> Answer:
        """The infinite-width limit of a photo, its scores, and how the network differs from it.

        Raises:
            NoLimit: with the reason.
            ValueError: as `picture`.
        """
        start = time.perf_counter()
        if asked.decoder:
            raise NoLimit("A decoder that was fitted or trained is not random: it has no limit.")
        result = self.reconstruction(asked)
        f_star, stderr = self._limit(asked.config, result.photo)
        scores = grey_scores(result.photo.pixels[None], f_star[None, None])
        network = result.colour.mean(0)
        top = float(f_star.abs().max()) or 1.0
        picture, most = signed((equally_bright(network, f_star) - f_star) / top)
        return {
            "query": asked.query(),
            "limit": uri(to_image(scores.picture)),
            "difference": uri(picture),
            "full_colour": round(most, 3),
            "sampled": None if stderr is None else round(stderr, 4),
            "scores": {
                "SSIM": _number(float(scores.ssim)),
                "Pearson’s r": _number(float(scores.pearson)),
            },
            "seconds": round(time.perf_counter() - start, 4),
        }

    def _limit(self, config: ReconstructConfig, photo: Photo) -> tuple[Tensor, float | None]:
        """f*, and if it is sampled its standard error (rms) over its brightest pixel."""
        if config.head != "mean":
            raise NoLimit(
                "A random last convolution has no limit: its picture stays random at any width. "
                "With the channel mean as its head it has one."
            )
        network = config.network().with_normalisation()
        try:
            is_sampled = require_limit(network, config.size, self.bounds)
            image = _input(config, photo)[None]
            if not is_sampled:
                return limit(network, image, config.weights)[0, 0].float(), None
        except ValueError as error:
            raise NoLimit(str(error)) from None
        found = sampled_limit(
            network,
            image,
            config.weights,
            num_samples=_SAMPLES,
            num_repeats=_REPEATS,
            dtype=torch.float32,
        )
        stderr = found.stderr.square().mean().sqrt() / found.image.abs().max()
        return found.image[0, 0].float(), float(stderr)


def _input(config: ReconstructConfig, photo: Photo) -> Tensor:
    if config.input == "mean-subtracted":
        return photo.pixels - torch.tensor(IMAGENET_MEAN)[:, None, None]
    return photo.pixels


def _description(inverter: Inverter) -> Description | None:
    """The encoder, and the decoder if it is a DCN; None for a layer of another model."""
    if not isinstance(inverter.encoder, Network):
        return None
    encoder, decoder = inverter.encoder.description, inverter.decoder
    return encoder + decoder.description if isinstance(decoder, Network) else encoder


def _decoder_boxes(inverter: Inverter, side: int) -> Mapping[str, Any] | None:
    if (known := _description(inverter)) is None or not isinstance(inverter.encoder, Network):
        return None
    return boxes(known, len(inverter.encoder.description.operations), side)


def _number(value: float, digits: int = 3, unit: str = "") -> str:
    """A score as people read it; with a true minus."""
    if not isfinite(value):
        return "∞"
    return f"{value:.{digits}f}{unit}".replace("-", "−")
