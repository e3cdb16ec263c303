"""An encoder and its learned decoder: from a layer's features back to pixels.

`Inverter` is what `fit` and `train` write and what `evaluate` and `reconstruct` read.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.data.checkpoints import (
    Checkpoint,
    CheckpointError,
    Source,
    digest,
    write_checkpoint,
)
from preimage.data.decoding import PhotoSize
from preimage.data.photo import SIZE
from preimage.data.photos import Photos
from preimage.decoders.arrays import Labels, Pixels
from preimage.decoders.cards import DECODER_KIND, network_of, open_checkpoint
from preimage.decoders.decoded import DecodedPhotos, decode_photos
from preimage.decoders.least_squares import LeastSquaresDecoder
from preimage.decoders.loop import Objective
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.device import full_precision
from preimage.network.encoder import Encoder
from preimage.network.trace import Size
from preimage.notebook.brief import brief
from preimage.notebook.view import Shown


class Inverter(Shown):
    """An encoder and a decoder of its features.

    Args:
        encoder: photos in [0, 255] → features: a network built from a description, or a layer of
            any module.
        origin: where the encoder's weights come from. From {"law", "seed", "network"} those of a
            description are drawn again; with any other origin they are kept in the file. Of a
            module's layer the file keeps the weights' SHA-256 only.
        decoder: features / `scale` → photos: a DCN, or a least-squares decoder.
        scale: the constant that features are divided by.
        card: plain data about how the decoder came to be.
    """

    def __init__(
        self,
        encoder: Encoder,
        origin: Mapping[str, Any],
        decoder: Network | LeastSquaresDecoder,
        scale: float = 1.0,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        self.encoder = encoder.eval()
        self.origin = dict(origin)
        self.decoder = decoder.eval()
        self.scale = scale
        self.card = dict(card or {})

    @property
    def device(self) -> torch.device:
        """The device of the encoder."""
        parameter = next(iter(self.encoder.parameters()), None)
        return torch.device("cpu") if parameter is None else parameter.device

    def to(self, device: torch.device) -> "Inverter":
        """Moves both networks."""
        self.encoder.to(device)
        self.decoder.to(device)
        return self

    @torch.inference_mode()
    def features(self, pixels: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N C h w"]:
        """Features of photos in [0, 255]."""
        with full_precision(self.device):
            output: Tensor = self.encoder(pixels.to(self.device))
        return output

    @torch.inference_mode()
    def decode(self, features: Float[Tensor, "N C h w"], size: Size) -> Float[Tensor, "N 3 H W"]:
        """Photos of (height, width) pixels from any features of the right shape; unclipped.

        Raises:
            ValueError: photos of this size have features of another shape.
        """
        expected = (self.encoder.out_channels, *self.encoder.feature_size(size))
        if tuple(features.shape[1:]) != expected:
            raise ValueError(
                f"features of {self.encoder.name} for photos of {size[0]}×{size[1]} pixels "
                f"are (N, {', '.join(map(str, expected))}), got {tuple(features.shape)}."
            )
        features = features.to(self.device) / self.scale
        least_squares = isinstance(self.decoder, LeastSquaresDecoder)
        sizes = size if least_squares else self.encoder.input_sizes(size)
        output: Tensor = self.decoder(features, sizes)
        return output

    def __call__(self, pixels: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
        """Photos in [0, 255] after encoding and decoding; unclipped."""
        return self.decode(self.features(pixels), (pixels.shape[-2], pixels.shape[-1]))

    def invert(self, photos: Photos | None = None, size: PhotoSize | None = SIZE) -> DecodedPhotos:
        """Photos in any form, encoded and decoded, with their scores.

        Args:
            photos: as in `preimage.load_photos`; the four embedded photos if not given.
            size: the central square of files is resized to this side; None keeps them.

        Raises:
            PhotoError: a photo can't be read or is too small.
            Interrupted: Ctrl-C came; `results` has the photos before.
        """
        return decode_photos(self, photos, size)

    def __repr__(self) -> str:
        return f"Inverter({self.encoder.name} → {_decoder_in_words(self.decoder)})"

    def _rows(self) -> list[dict[str, Any]]:
        return [{"what": name, "value": value} for name, value in _flat(self.origin | self.card)]

    # --- files -------------------------------------------------------------------------------

    def encoder_card(self) -> dict[str, Any]:
        """What the encoder is and where its weights come from, as plain data."""
        kind = "description" if isinstance(self.encoder, Network) else "layer"
        return {kind: self.encoder.to_dict(), "origin": self.origin}

    def save(self, path: str | Path) -> Path:
        """Writes one safetensors file with the card inside, and the card as JSON beside it.

        Raises:
            OSError: the folder can't be written to.
        """
        encoder = dict(self.encoder.state_dict())
        tensors = {f"decoder.{k}": v for k, v in self.decoder.state_dict().items()}
        if isinstance(self.encoder, Network) and "law" not in self.origin:
            tensors |= {f"encoder.{k}": v for k, v in encoder.items()}
        card = {
            "encoder": {**self.encoder_card(), "sha256": digest(encoder)},
            "decoder": _decoder_card(self.decoder),
            "scale": self.scale,
            **self.card,
        }
        return write_checkpoint(Path(path), Checkpoint(DECODER_KIND, card, tensors))

    @classmethod
    def load(cls, path: Source, encoder: Encoder | None = None) -> "Inverter":
        """What `save` wrote.

        Args:
            encoder: the layer of a module that the decoder was made for, which is not in the file;
                `preimage.probing.open_inverter` opens it by name.

        Raises:
            CheckpointError: not there, not a decoder, damaged; its random encoder can't be drawn
                again by this version of torch; or the `encoder` is missing, or another one.
        """
        checkpoint = open_checkpoint(path, DECODER_KIND)
        card = dict(checkpoint.card)
        encoder_card, decoder_card = card.pop("encoder"), card.pop("decoder")
        origin = encoder_card["origin"]
        try:
            # The decoder first: it is in the file, and tells whether an encoder is worth drawing.
            decoder = _decoder(decoder_card, checkpoint.part("decoder"))
            if encoder is None:
                encoder = _described(encoder_card, checkpoint)
            elif problem := _other_form(encoder_card, encoder):
                raise ValueError(problem)
            if digest(encoder.state_dict()) != encoder_card["sha256"]:
                raise ValueError(_other_weights(encoder_card, encoder))
            _require_pair(encoder, decoder)
        except ValueError as error:
            raise CheckpointError(f"{path}: {error}") from None
        return cls(encoder, origin, decoder, float(card.pop("scale")), card)


def _described(card: dict[str, Any], checkpoint: Checkpoint) -> Network:
    """The encoder whose description is in a decoder's file."""
    origin = card["origin"]
    if card.get("description") is None:
        raise ValueError(
            f"decodes layer {origin['layer']} of {origin['model']}, which is not in the file; give "
            "`encoder`, or open it with preimage.probing.open_inverter."
        )
    if "law" not in origin:
        return network_of(card["description"], checkpoint.part("encoder"), "the encoder")
    description = Description.from_dict(card["description"])
    return build(description, origin["law"], seed=origin["seed"], network_number=origin["network"])


def _require_pair(encoder: Encoder, decoder: Network | LeastSquaresDecoder) -> None:
    """Refuses a decoder of other features, or of something else than RGB photos."""
    if isinstance(decoder, Network):
        takes, gives = decoder.description.in_channels, decoder.description.out_channels
    else:
        takes, gives = decoder.weight.shape[1], len(decoder.bias) // decoder.alignment.stride**2
    if (takes, gives) != (encoder.out_channels, 3):
        raise ValueError(
            f"its decoder takes {takes} channels to {gives}, but its encoder gives "
            f"{encoder.out_channels} channels of photos, which have 3."
        )


def _other_form(card: dict[str, Any], encoder: Encoder) -> str:
    """How an encoder differs from the layer that a decoder's file names; empty if it does not."""
    if card.get("layer") is None:
        return "it has its own encoder; leave out `encoder`."
    wanted, given = card["layer"], json.loads(json.dumps(encoder.to_dict()))
    if other := sorted(key for key in {*wanted, *given} if wanted.get(key) != given.get(key)):
        changes = "; ".join(f"{k}: {wanted.get(k)} there, {given.get(k)} here" for k in other)
        return f"was made for another layer than `encoder` ({changes})."
    return ""


def _other_weights(card: dict[str, Any], encoder: Encoder) -> str:
    """Why an encoder is not the one of a decoder's file."""
    origin = card["origin"]
    if card.get("description") is not None:
        return (
            f"this version of torch draws other weights from {origin}; decode with the version in "
            "the file's card."
        )
    return (
        f"was made for layer {origin.get('layer')} of {origin.get('model')} with weights whose "
        f"SHA-256 begins with {card['sha256'][:8]}; those of {encoder.name} here begin with "
        f"{digest(encoder.state_dict())[:8]}. Give the same `weights`."
    )


def _decoder_in_words(decoder: Network | LeastSquaresDecoder) -> str:
    if isinstance(decoder, LeastSquaresDecoder):
        return f"least squares, window {decoder.window}×{decoder.window}"
    return f"DCN of {len(decoder.description.convs)} convolutions"


def _flat(card: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """A card line by line: (`training.photos`, 96); long lists by their length."""
    for name, value in card.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value if isinstance(value, int | float | str) else brief(value)


def _decoder_card(decoder: Network | LeastSquaresDecoder) -> dict[str, Any]:
    if isinstance(decoder, LeastSquaresDecoder):
        return {"type": "least-squares", **decoder.metadata()}
    return {"type": "dcn", "description": decoder.description.to_dict()}


def _decoder(card: dict[str, Any], tensors: dict[str, Tensor]) -> Network | LeastSquaresDecoder:
    if card["type"] == "dcn":
        return network_of(card.get("description"), tensors, "the decoder")
    metadata = {key: value for key, value in card.items() if key != "type"}
    return LeastSquaresDecoder.from_parts(tensors, metadata)


@torch.inference_mode()
def measure_scale(encoder: Encoder, pixels: Pixels) -> float:
    """The root mean square of the encoder's features of some photos."""
    return float(encoder(pixels.float()).double().square().mean().sqrt())


class Inversion(Objective):
    """The paper's equation (1): the sum of squared differences of all pixels, in [0, 255].

    The encoder is fixed; features are divided by `scale`. Its parameters are frozen here, since
    several processes would wait for their gradients.
    """

    def __init__(self, encoder: Encoder, decoder: Network, scale: float) -> None:
        super().__init__()
        self.encoder: Encoder = encoder.eval().requires_grad_(False)
        self.trained = decoder
        self.scale = scale

    def forward(self, pixels: Pixels, labels: Labels | None) -> Float[Tensor, ""]:
        """The sum over photos, channels and pixels."""
        photos = pixels.float()
        with torch.no_grad(), full_precision(photos.device):
            features = self.encoder(photos) / self.scale
        sizes = self.encoder.input_sizes((photos.shape[-2], photos.shape[-1]))
        loss: Tensor = (self.trained(features, sizes).float() - photos).square().sum()
        return loss
