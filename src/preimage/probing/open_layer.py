"""A layer by name: of a model that can be named, and of the one that a decoder's file names."""

from pathlib import Path
from typing import Any

from preimage.data.checkpoints import CheckpointError
from preimage.decoders.cards import DECODER_KIND, open_card
from preimage.decoders.inverter import Inverter
from preimage.network.weights import PRETRAINED
from preimage.probing.layer_encoder import LayerEncoder, layer_encoder
from preimage.probing.models import open_model
from preimage.probing.preprocessing import changed_preprocessing


def open_layer(
    model: str,
    layer: str,
    weights: str | None = None,
    *,
    seed: int = 0,
    **pixels: Any,
) -> LayerEncoder:
    """A layer of the model of this name as an encoder.

    Args:
        model: as in `open_model`.
        layer: a `named_modules()` path.
        weights: as in `open_model`.
        seed: of weights that are drawn.
        pixels: what the model wants them to be in place of what its library says: `size`, `mean`,
            `std`, `scale`, `raw`, as in `changed_preprocessing`.

    Raises:
        ModelError: no such model or weights.
        LayerError: no such layer, or it gives no maps or tokens.
        ValueError: nothing tells what pixels the model wants.
    """
    opened = open_model(model, weights, seed=seed)
    preprocessing = changed_preprocessing(opened.preprocessing, **pixels)
    origin = {"weights": weights, "seed": seed}
    return layer_encoder(opened.model, layer, preprocessing, name=model, origin=origin)


def open_inverter(
    path: str | Path, weights: str | None = None, model: str | None = None
) -> Inverter:
    """A decoder's file with its encoder: a description's, or the layer of the model that it names.

    A file is no reason to run code or to ask the network: a model that is a function in a file, one
    of the Hugging Face Hub, or one with weights that others publish, must be named by the caller.

    Args:
        weights: where the model's weights are now, if no longer where they were.
        model: the model that the file is expected to name.

    Raises:
        CheckpointError: as `Inverter.load`; or its model can't be opened, or has other weights.
    """
    card = open_card(path, DECODER_KIND)["encoder"]
    if card.get("layer") is None:
        if weights or model:
            needless = "`weights`" if weights else "`model`"
            raise CheckpointError(f"{path}: it has its own encoder; leave out {needless}.")
        return Inverter.load(path)
    origin = card["origin"]
    name, weights = origin["model"], weights or origin.get("weights")
    _require_trust(path, name, weights, model)
    try:
        opened = open_model(name, weights, seed=origin.get("seed", 0))
    except ValueError as error:
        raise CheckpointError(f"{path}: its encoder is a layer of {name}: {error}") from None
    try:
        encoder = LayerEncoder.from_dict(opened.model, card["layer"], name, origin)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from None
    return Inverter.load(path, encoder)


def _require_trust(path: str | Path, name: str, weights: str | None, model: str | None) -> None:
    """Refuses a file's model that runs code or asks the network, unless the caller named it too.

    Raises:
        CheckpointError: the caller named another one, or had to name it.
    """
    if model is not None and model != name:
        raise CheckpointError(f"{path}: its encoder is a layer of {name}, not of `model` {model}.")
    if model is None and (what := _done_by_opening(name, weights)):
        raise CheckpointError(
            f"{path}: its encoder is a layer of {name}, which {what}; if you trust it, give "
            f"`model` {name}."
        )


def _done_by_opening(name: str, weights: str | None) -> str | None:
    kind = name.partition(":")[0]
    if kind.endswith(".py"):
        return "is code that would be run"
    if kind == "hf":
        return "would be fetched"
    return "has weights that would be fetched" if weights in PRETRAINED else None
