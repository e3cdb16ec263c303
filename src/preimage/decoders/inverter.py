"""An encoder and its learned decoder: from a layer's features back to pixels.

`Inverter` is what `fit` and `train` write and what `evaluate` and `reconstruct` read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.data.checkpoints import (
    Checkpoint,
    CheckpointError,
    digest,
    read_checkpoint,
    write_checkpoint,
)
from preimage.decoders.arrays import Labels, Pixels
from preimage.decoders.least_squares import LeastSquaresDecoder
from preimage.decoders.loop import Objective
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.trace import Size, input_sizes, output_size

DECODER_KIND = "decoder"


class Inverter:
    """An encoder and a decoder of its features.

    Args:
        encoder: photos in [0, 255] → features.
        origin: where the encoder's weights come from. From {"law", "seed", "network"} they are
            drawn again; with any other origin they are kept in the file.
        decoder: features / `scale` → photos: a DCN, or a least-squares decoder.
        scale: the constant that features are divided by.
        card: plain data about how the decoder came to be.
    """

    def __init__(
        self,
        encoder: Network,
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
    def description(self) -> Description:
        """The description of the encoder."""
        return self.encoder.description

    @property
    def device(self) -> torch.device:
        """The device of the encoder."""
        return next(self.encoder.parameters()).device

    def to(self, device: torch.device) -> "Inverter":
        """Moves both networks."""
        self.encoder.to(device)
        self.decoder.to(device)
        return self

    @torch.inference_mode()
    def features(self, pixels: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N C h w"]:
        """Features of photos in [0, 255]."""
        output: Tensor = self.encoder(pixels.to(self.device))
        return output

    @torch.inference_mode()
    def decode(self, features: Float[Tensor, "N C h w"], size: Size) -> Float[Tensor, "N 3 H W"]:
        """Photos of (height, width) pixels from any features of the right shape; unclipped.

        Raises:
            ValueError: photos of this size have features of another shape.
        """
        expected = (self.description.out_channels, *feature_size(self.description, size))
        if tuple(features.shape[1:]) != expected:
            raise ValueError(
                f"features of {self.description.name} for photos of {size[0]}×{size[1]} pixels "
                f"are (N, {', '.join(map(str, expected))}), got {tuple(features.shape)}."
            )
        features = features.to(self.device) / self.scale
        least_squares = isinstance(self.decoder, LeastSquaresDecoder)
        sizes = size if least_squares else input_sizes(self.description, *size)
        output: Tensor = self.decoder(features, sizes)
        return output

    def __call__(self, pixels: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
        """Photos in [0, 255] after encoding and decoding; unclipped."""
        return self.decode(self.features(pixels), (pixels.shape[-2], pixels.shape[-1]))

    # --- files -------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Writes one safetensors file with the card inside, and the card as JSON beside it.

        Raises:
            OSError: the folder can't be written to.
        """
        encoder = dict(self.encoder.state_dict())
        tensors = {f"decoder.{k}": v for k, v in self.decoder.state_dict().items()}
        if "law" not in self.origin:
            tensors |= {f"encoder.{k}": v for k, v in encoder.items()}
        card = {
            "encoder": {
                "description": self.description.to_dict(),
                "origin": self.origin,
                "sha256": digest(encoder),
            },
            "decoder": _decoder_card(self.decoder),
            "scale": self.scale,
            **self.card,
        }
        return write_checkpoint(Path(path), Checkpoint(DECODER_KIND, card, tensors))

    @classmethod
    def load(cls, path: str | Path) -> "Inverter":
        """What `save` wrote.

        Raises:
            CheckpointError: not there, not a decoder, damaged; or its random encoder can't be
                drawn again by this version of torch.
        """
        checkpoint = read_checkpoint(path, DECODER_KIND)
        card = dict(checkpoint.card)
        encoder_card, decoder_card = card.pop("encoder"), card.pop("decoder")
        description = Description.from_dict(encoder_card["description"])
        origin = encoder_card["origin"]
        if "law" in origin:
            encoder = build(
                description, origin["law"], seed=origin["seed"], network_number=origin["network"]
            )
        else:
            encoder = Network(description).eval()
            encoder.load_state_dict(checkpoint.part("encoder"))
        if digest(encoder.state_dict()) != encoder_card["sha256"]:
            raise CheckpointError(
                f"{path}: this version of torch draws other weights from {origin}; decode with "
                f"the version in the file's card."
            )
        decoder = _decoder(decoder_card, checkpoint.part("decoder"))
        return cls(encoder, origin, decoder, card.pop("scale"), card)


def _decoder_card(decoder: Network | LeastSquaresDecoder) -> dict[str, Any]:
    if isinstance(decoder, LeastSquaresDecoder):
        return {"type": "least-squares", **decoder.metadata()}
    return {"type": "dcn", "description": decoder.description.to_dict()}


def _decoder(card: dict[str, Any], tensors: dict[str, Tensor]) -> Network | LeastSquaresDecoder:
    if card["type"] == "dcn":
        network = Network(Description.from_dict(card["description"]))
        network.load_state_dict(tensors)
        return network
    metadata = {key: value for key, value in card.items() if key != "type"}
    return LeastSquaresDecoder.from_parts(tensors, metadata)


def feature_size(description: Description, size: Size) -> Size:
    """(height, width) of the features of photos of this size.

    Raises:
        ValueError: the photos are too small.
    """
    sizes = input_sizes(description, *size)
    last = description.operations[-1]
    return output_size(last, sizes[last.name], sizes)


@torch.inference_mode()
def measure_scale(encoder: Network, pixels: Pixels) -> float:
    """The root mean square of the encoder's features of some photos."""
    return float(encoder(pixels.float()).double().square().mean().sqrt())


class Inversion(Objective):
    """The paper's equation (1): the sum of squared differences of all pixels, in [0, 255].

    The encoder is fixed; features are divided by `scale`.
    """

    def __init__(self, encoder: Network, decoder: Network, scale: float) -> None:
        super().__init__()
        self.encoder = encoder.eval().requires_grad_(False)
        self.trained = decoder
        self.scale = scale

    def forward(self, pixels: Pixels, labels: Labels | None) -> Float[Tensor, ""]:
        """The sum over photos, channels and pixels."""
        photos = pixels.float()
        with torch.no_grad():
            features = self.encoder(photos) / self.scale
        sizes = input_sizes(self.encoder.description, photos.shape[-2], photos.shape[-1])
        loss: Tensor = (self.trained(features, sizes).float() - photos).square().sum()
        return loss
