"""Encoders with weights of any origin: drawn from a law, pre-trained, or trained here."""

from pathlib import Path
from typing import Any

from preimage.data.checkpoints import (
    Checkpoint,
    CheckpointError,
    is_checkpoint,
    write_checkpoint,
)
from preimage.decoders.cards import (
    CLASSIFIER_KIND,
    network_of,
    open_card,
    open_checkpoint,
    require_tensors,
)
from preimage.decoders.classifier import Classifier
from preimage.decoders.options import EncoderOptions
from preimage.decoders.pretrained import pretrained_encoder
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.encoder import Encoder, Origin
from preimage.network.spec import EncoderSpec
from preimage.network.weights import PRETRAINED, weights_kind


def open_encoder(options: EncoderOptions) -> tuple[Network, Origin]:
    """The encoder that the options describe, and where its weights come from.

    Raises:
        ValueError: no such law or file; the file is damaged or does not fit.
    """
    if weights_kind(options.weights) == "law":
        description = (
            trained_encoder(options.twin_of, options.spec)[0].description
            if options.twin_of
            else options.description()
        )
        origin = {
            "law": options.weights,
            "seed": options.seed,
            "network": options.network_number,
            "twin_of": options.twin_of,
        }
        return _draw(description, origin), origin
    if options.twin_of:
        raise ValueError(
            "`twin_of` is for random weights; give a law such as gaussian:fan-in as `weights`."
        )
    return trained_encoder(options.weights, options.spec)


def as_encoder(encoder: EncoderOptions | Encoder) -> Encoder:
    """The encoder that options describe, its `origin` set; an encoder as it is.

    Raises:
        ValueError: as `open_encoder`.
    """
    if not isinstance(encoder, EncoderOptions):
        return encoder
    network, origin = open_encoder(encoder)
    network.origin = origin
    return network


def trained_encoder(weights: str, spec: EncoderSpec) -> tuple[Network, Origin]:
    """Torchvision's encoder, or the one in a file, up to the spec's layer.

    Raises:
        ValueError: no such file; it is damaged or does not fit.
    """
    own = ("width", "width_factor", "kernel_size")
    if spec.simplified != "no" or any(getattr(spec, name) is not None for name in own):
        raise ValueError(
            f"the encoder of {weights} has its own widths and kernels; leave out `width`, "
            "`width_factor`, `kernel_size` and `simplified`."
        )
    if weights in PRETRAINED or not is_checkpoint(weights):
        return pretrained_encoder(weights, spec.architecture, spec.layer, pooled=spec.pooled)
    checkpoint = open_checkpoint(weights, CLASSIFIER_KIND)
    whole = _classifier(weights, checkpoint).encoder
    origin = {"file": Path(weights).name, **{k: checkpoint.card[k] for k in _ORIGIN}}
    return cut(whole, spec.layer, pooled=spec.pooled), origin


def described(options: EncoderOptions) -> Description:
    """The encoder's description, without its weights.

    What `preimage pretrain` wrote has widths of its own; other files have the architecture's.

    Raises:
        CheckpointError: the file's card is damaged, or the options do not fit it.
        ValueError: the options do not fit the architecture.
    """
    source = options.twin_of or options.weights
    if weights_kind(source) != "file" or not is_checkpoint(source):
        return options.description()
    card = open_card(source, CLASSIFIER_KIND)
    try:
        whole = Description.from_dict(card["encoder"])
        return whole.cut(options.spec.layer, pooled=options.spec.pooled)
    except ValueError as error:
        raise CheckpointError(f"{source}: {error}") from None


def architecture_of(weights: str) -> str:
    """The architecture of an encoder that `preimage pretrain` wrote; VGG16 for any other weights.

    Raises:
        CheckpointError: the file's card is damaged.
    """
    if weights_kind(weights) != "file" or not is_checkpoint(weights):
        return "vgg16"
    name: str = open_card(weights, CLASSIFIER_KIND)["encoder"]["name"]
    return name.split()[0]  # "alexnet conv5"


_ORIGIN = ("classes", "accuracy", "training")


def cut(encoder: Network, layer: str, *, pooled: bool = False) -> Network:
    """The part of a network up to a layer, with its weights.

    Raises:
        ValueError: no such layer.
    """
    part = Network(encoder.description.cut(layer, pooled=pooled))
    kept = part.state_dict().keys()
    part.load_state_dict({k: v for k, v in encoder.state_dict().items() if k in kept})
    return part.eval()


def random_twin(encoder: Network, law: str, *, seed: int = 0, network: int = 0) -> Network:
    """The same architecture, activation and input with random weights, and biases of zero."""
    return _draw(encoder.description, {"law": law, "seed": seed, "network": network})


def _draw(description: Description, origin: Origin) -> Network:
    return build(description, origin["law"], seed=origin["seed"], network_number=origin["network"])


def save_classifier(path: Path, model: Classifier, card: dict[str, Any]) -> Path:
    """Writes a classifier, batch normalisation folded in, as one file.

    Raises:
        OSError: the folder can't be written to.
    """
    folded = model.folded()
    tensors = {f"encoder.{k}": v for k, v in folded.encoder.state_dict().items()}
    tensors |= {f"head.{k}": v for k, v in folded.head.state_dict().items()}
    described = {"encoder": folded.encoder.description.to_dict(), **card}
    return write_checkpoint(path, Checkpoint(CLASSIFIER_KIND, described, tensors))


def load_classifier(path: str | Path) -> Classifier:
    """The classifier that `save_classifier` wrote.

    Raises:
        ValueError: the file does not exist, is not a classifier, or is damaged.
    """
    return _classifier(path, open_checkpoint(path, CLASSIFIER_KIND))


def _classifier(path: str | Path, checkpoint: Checkpoint) -> Classifier:
    try:
        encoder = network_of(checkpoint.card["encoder"], checkpoint.part("encoder"), "the encoder")
        model = Classifier(encoder, len(checkpoint.card["classes"]))
        require_tensors(checkpoint.part("head"), model.head.state_dict(), "the classifier's head")
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from None
    model.head.load_state_dict(checkpoint.part("head"))
    return model.eval()
