"""What files of decoders, encoders and trainings must hold: one schema, checked at every read.

A checkpoint (`preimage.data.checkpoints`) is any card with any tensors. Here stands which card and
which tensors make a decoder, a classifier, or the state of a training.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from preimage.data.checkpoints import (
    Checkpoint,
    CheckpointError,
    Source,
    read_card,
    read_checkpoint,
)
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.network.ranges import Above0, Range
from preimage.network.schema import read_as

DECODER_KIND, CLASSIFIER_KIND, STATE_KIND = "decoder", "classifier", "training state"
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class DrawnCard:
    """Weights that are drawn again."""

    law: str
    seed: int
    network: int


@dataclass(frozen=True)
class LayerOriginCard:
    """Where a layer of any model, and its weights, come from."""

    model: str
    layer: str
    weights: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class EncoderCard:
    """An encoder: the description of a CNN, or a layer of a model that is not in the file."""

    origin: dict[str, Any]
    sha256: str
    description: dict[str, Any] | None = None
    layer: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if (self.description is None) == (self.layer is None):
            raise ValueError("encoder must have one of description and layer.")
        if self.layer is not None:
            read_as(LayerOriginCard, self.origin, "encoder.origin", more=True)
        elif "law" in self.origin:
            read_as(DrawnCard, self.origin, "encoder.origin", more=True)


@dataclass(frozen=True)
class DcnCard:
    """A decoder that is a network."""

    type: Literal["dcn", "least-squares"]
    description: dict[str, Any] | None = None


@dataclass(frozen=True)
class DecoderCard:
    """A decoder with its encoder; a file says more beside it, such as how it was trained."""

    encoder: EncoderCard
    decoder: dict[str, Any]
    scale: Above0

    def __post_init__(self) -> None:
        read_as(DcnCard, self.decoder, "decoder", more=True)


@dataclass(frozen=True)
class AccuracyCard:
    """On the test photos."""

    accuracy: Annotated[float, Range(0, 1)]
    photos: int


@dataclass(frozen=True)
class ClassifierCard:
    """An encoder that was trained to tell classes apart."""

    encoder: dict[str, Any]
    classes: tuple[str, ...]
    accuracy: AccuracyCard | None
    training: dict[str, Any]


@dataclass(frozen=True)
class SettingsCard:
    """What reading a run needs of its settings, before they are compared with those of now."""

    recipe: dict[str, Any]
    scale: Above0 = 1.0


@dataclass(frozen=True)
class StateCard:
    """How far a training has come, and under which settings."""

    step: int
    settings: dict[str, Any]

    def __post_init__(self) -> None:
        read_as(SettingsCard, self.settings, "settings", more=True)


_SCHEMAS: dict[str, type] = {
    DECODER_KIND: DecoderCard,
    CLASSIFIER_KIND: ClassifierCard,
    STATE_KIND: StateCard,
}


def open_card(path: Source, kind: str) -> dict[str, Any]:
    """The card of a file alone, as it was written; its tensors are not read.

    Raises:
        CheckpointError: no such file, or not of this kind; or its card is not one of this kind.
    """
    return _checked(path, kind, read_card(path, kind))


def open_checkpoint(path: Source, kind: str) -> Checkpoint:
    """The card and the tensors of a file.

    Raises:
        CheckpointError: as `open_card`, or the file is damaged.
    """
    checkpoint = read_checkpoint(path, kind)
    _checked(path, kind, checkpoint.card)
    return checkpoint


def _checked(path: Source, kind: str, card: dict[str, Any]) -> dict[str, Any]:
    try:
        read_as(_SCHEMAS[kind], card, more=True)
    except ValueError as error:
        raise CheckpointError(f"{path}: not the card of a {kind}: {error}") from None
    return card


def network_of(description: object, tensors: Mapping[str, Tensor], what: str) -> Network:
    """The network that a card describes, with the tensors of its file.

    Args:
        what: the network, for messages.

    Raises:
        ValueError: no description, or tensors of another network.
    """
    described = Description.from_dict(description)
    try:
        with torch.device("meta"):  # nothing is allocated before the tensors are known to fit
            expected = Network(described).state_dict()
    except (KeyError, RuntimeError) as error:  # names that torch does not take
        raise ValueError(f"{what}: {' '.join(str(error).split())}.") from None
    require_tensors(tensors, expected, what)
    network = Network(described)
    network.load_state_dict(tensors)
    return network.eval()


def require_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], what: str) -> None:
    """Refuses tensors of other names, shapes or kinds of number, and numbers that are not finite.

    Args:
        expected: tensors of the right form; their values do not matter.

    Raises:
        ValueError: naming the tensor, what is expected and what it is.
    """
    if missing := sorted({*expected} - {*found}):
        raise ValueError(f"{what}: {_few(missing)} missing among its tensors.")
    if unknown := sorted({*found} - {*expected}):
        raise ValueError(f"{what}: {_few(unknown)} among its tensors does not belong there.")
    for name, tensor in found.items():
        form = expected[name]
        same = tensor.dtype == form.dtype or {tensor.dtype, form.dtype} <= {*_FLOATS}
        if tensor.shape != form.shape or not same:
            raise ValueError(f"{what}: tensor {name} must be {_form(form)}, got {_form(tensor)}.")
        if not tensor.isfinite().all():
            raise ValueError(f"{what}: tensor {name} holds NaN or infinite values.")


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _few(names: Iterable[str]) -> str:
    first, *others = names
    return f"{first} and {len(others)} more" if others else first
