"""Option sets of decoders that learn: the encoder, the decoder, the photos, the machine.

Small, composed, and free of torch. What the numbers of a training depend on besides these is its
`preimage.decoders.recipes.Recipe`, precision included; `MachineOptions` change no number but by
rounding.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol, runtime_checkable

from preimage.network.description import Description
from preimage.network.operations import UnpoolKind
from preimage.network.ranges import Above0, Nonnegative, Positive, Range, SideOrAsItIs, Slope
from preimage.network.spec import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Checked,
    DeviceName,
    EncoderSpec,
)

Input = Literal["imagenet", "mean-subtracted", "raw"]


@runtime_checkable
class Mirrored(Protocol):
    """What has a DCN: a description, or a `preimage.network.encoder.Encoder`."""

    def mirror(self, unpool: UnpoolKind = "zeros") -> Description:
        """The description of the DCN."""


def default_spec() -> EncoderSpec:
    """VGG16 up to Conv3 with the paper's leaky ReLU of slope 0.2."""
    return EncoderSpec(slope=0.2)


@dataclass(frozen=True, kw_only=True)
class EncoderOptions(Checked):
    """An encoder with weights of any origin.

    Args:
        spec: The CNN up to its layer.
        weights: A law such as gaussian:0.015 or gaussian:fan-in; imagenet or pretrained for weights
            that others trained; or a file (.pth, .safetensors) with the model's state, or what
            preimage pretrain wrote.
        twin_of: With a law as weights, take everything else (architecture, activation, input) from
            the encoder of this file, or of imagenet; biases are zero.
        seed: Seed of all random streams.
        network_number: Number of the random network; each has its own weights.
        input: What a random encoder does to pixels in [0, 255] first: `imagenet` subtracts
            ImageNet's mean and divides by its standard deviation.
    """

    spec: EncoderSpec = field(default_factory=default_spec)
    weights: str = "gaussian:fan-in"
    twin_of: str | None = None
    seed: int = 0
    network_number: int = 0
    input: Input = "imagenet"

    def description(self) -> Description:
        """The encoder as it is for weights drawn from a law, its input included.

        Raises:
            ValueError: the options do not fit the architecture.
        """
        return with_input(self.spec.encoder(), self.input)


@dataclass(frozen=True, kw_only=True)
class DecoderOptions(Checked):
    """The DCN that mirrors an encoder.

    Args:
        unpool: The kind of every unpooling.
        slope: Slope of its activation below zero.
        bias: Give its convolutions biases.
    """

    unpool: UnpoolKind = "zeros"
    slope: Slope = 0.2
    bias: bool = False

    def description(self, encoder: Mirrored) -> Description:
        """The DCN of an encoder or of its description."""
        return encoder.mirror(self.unpool).with_activation(self.slope).with_bias(self.bias)


@dataclass(frozen=True, kw_only=True)
class DataOptions(Checked):
    """Photos to train on, and others to measure on.

    Args:
        data: Training photos: a folder, a zip (photos.zip/train is a folder in it), WebDataset
            shards, a glob pattern, or hf:owner/name:split.
        held_out: Photos to measure the PSNR on while it trains; as in `data`. Empty: none.
        measure_every: Steps between two measurements.
        in_memory: Read all photos once, as squares of this side, and keep them; 0 reads each when
            it is needed.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
    """

    data: str = ""
    held_out: str = ""
    measure_every: Positive = 400
    in_memory: SideOrAsItIs = 0
    strict: bool = False


@dataclass(frozen=True, kw_only=True)
class MachineOptions(Checked):
    """Where and how a training computes; nothing here changes a number but by rounding.

    Args:
        device: `auto` is a GPU if there is one.
        accumulate: Parts that each batch is computed in, to save memory.
        compile: Let torch.compile make the step; the first takes half a minute.
        workers: Processes that read photos ahead; as many as cores allow if None.
        save_every: Seconds between two saved states.
        max_minutes: Stop cleanly after this time; with the recipe's last step if None.
    """

    device: DeviceName = "auto"
    accumulate: Positive = 1
    compile: bool = False
    workers: Annotated[int, Range(0, 1024)] | None = None
    save_every: Nonnegative = 60.0
    max_minutes: Above0 | None = None


def with_input(encoder: Description, name: Input) -> Description:
    """The encoder behind what `EncoderOptions.input` names."""
    match name:
        case "imagenet":
            return encoder.with_input(IMAGENET_MEAN, IMAGENET_STD)
        case "mean-subtracted":
            return encoder.with_input(IMAGENET_MEAN, (1.0, 1.0, 1.0))
        case "raw":
            return encoder
