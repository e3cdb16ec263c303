"""What a figure trains: kinds of encoders, and the trainings of each."""

from dataclasses import dataclass

from preimage.decoders.options import EncoderOptions
from preimage.network.spec import ArchitectureName

NAMES: dict[ArchitectureName, str] = {"vgg16": "VGG16", "alexnet": "AlexNet"}
#: Why statements about trained encoders can be absent.
NO_TRAINED = "not measured: neither torchvision's VGG16 nor another trained one was given"


@dataclass(frozen=True)
class Encoders:
    """A kind of encoder in a figure: its name, and the options of each of its networks."""

    label: str
    networks: tuple[EncoderOptions, ...]


@dataclass(frozen=True)
class Arm:
    """One training of a figure: an encoder, and what is not as in the preset."""

    encoder: EncoderOptions
    feature_scaling: bool | None = None
    learning_rate: float | None = None
    steps: int | None = None
    crop: int | None = None
    batch_size: int | None = None
