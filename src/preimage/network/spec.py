"""The options of a CNN, of its mirrored DCN, and of a reconstruction through both.

Plain frozen dataclasses: what a command line, a grid of networks or a notebook fills in. Nothing
here imports torch, so that `preimage --help` answers at once.
"""

from dataclasses import dataclass, fields
from typing import Literal, get_type_hints

from preimage.network.architectures import ARCHITECTURES, architecture, no_such_architecture
from preimage.network.description import Description
from preimage.network.operations import PoolKind, UnpoolKind
from preimage.network.ranges import (
    Above0,
    Kernel,
    Positive,
    Side,
    SideOrAsItIs,
    Slope,
    check,
    range_of,
)

ArchitectureName = Literal["vgg16", "alexnet", "torchvision_alexnet"]
DeviceName = Literal["auto", "cpu", "cuda"]
HeadName = Literal["conv", "mean"]
SimplifiedName = Literal["no", "resized", "direct"]
InputName = Literal["nonnegative", "mean-subtracted"]

#: Mean and standard deviation of ImageNet's pixels in [0, 255], RGB, as torchvision has them:
#: what pre-trained encoders were trained with, and what every `mean-subtracted` input subtracts.
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


class Checked:
    """Base of all option sets: refuses values that a field's hint does not allow.

    `preimage.network.ranges` has the numbers; every number is finite, and an `int` without a range
    of its own is not negative.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self), include_extras=True)
        for field in fields(self):  # type: ignore[arg-type]
            check(field.name, getattr(self, field.name), hints[field.name])


@dataclass(frozen=True, kw_only=True)
class EncoderSpec(Checked):
    """A CNN: an architecture up to a layer, with some changes.

    Args:
        architecture: The architecture that the CNN is taken from.
        layer: The last layer of the CNN: a block such as conv3, or one convolution such as conv3_1.
        pooled: Take the representation after the pooling that follows the layer.
        pool: The kind of every pooling.
        width: Channels of every hidden layer; by default the architecture's own.
        width_factor: Factor on the channels of every hidden layer.
        kernel_size: Side of every kernel; by default the architecture's own.
        slope: Slope of the activation below zero: 0 for ReLU, 0.2 for the paper's leaky ReLU, 1 for
            no activation.
        simplified: Connect the image directly to the layer's block, as in the second row of Figure
            7: `resized` to the resolution of the block, or `direct`, at that of the image.
    """

    architecture: ArchitectureName = "vgg16"
    layer: str = "conv3"
    pooled: bool = False
    pool: PoolKind = "max"
    width: Positive | None = None
    width_factor: Above0 | None = None
    kernel_size: Kernel | None = None
    slope: Slope = 0.0
    simplified: SimplifiedName = "no"

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(no_such_architecture(self.architecture))
        super().__post_init__()

    def encoder(self) -> Description:
        """The CNN.

        Raises:
            ValueError: an option does not fit the architecture.
        """
        encoder = architecture(self.architecture).cut(self.layer, pooled=self.pooled)
        if self.simplified != "no":
            encoder = encoder.simplified(resize=self.simplified == "resized")
        encoder = encoder.with_activation(self.slope)
        if self.pool != "max":
            encoder = encoder.with_pool(self.pool)
        if self.width is not None:
            encoder = encoder.with_width(self.width)
        if self.width_factor is not None:
            encoder = encoder.scale_width(self.width_factor)
        if self.kernel_size is not None:
            encoder = encoder.with_kernel_size(self.kernel_size)
        return encoder


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(EncoderSpec):
    """A CNN and its mirrored DCN.

    Args:
        unpool: The kind of every unpooling.
        head: How the DCN ends: with its last convolution, or with the mean over channels in its
            place (Section 4.2).
    """

    unpool: UnpoolKind = "zeros"
    head: HeadName = "conv"

    def mirror(self) -> Description:
        """The DCN, with the chosen head.

        Raises:
            ValueError: an option does not fit the architecture.
        """
        decoder = self.encoder().mirror(self.unpool)
        return decoder.with_mean_head() if self.head == "mean" else decoder

    def network(self) -> Description:
        """The CNN and its DCN, head included.

        Raises:
            ValueError: an option does not fit the architecture.
        """
        return self.encoder() + self.mirror()


@dataclass(frozen=True, kw_only=True)
class ReconstructConfig(NetworkConfig):
    """A random CNN and DCN, and how photos are prepared.

    Args:
        weights: The law of the weights: gaussian:STD, uniform:HALF_WIDTH, logistic:SCALE,
            laplace:SCALE; or fan-in in place of the number, as in gaussian:fan-in.
        seed: Seed of all random streams.
        network_number: Number of the network; each has its own weights.
        size: Photos are cropped to their central square and resized to this side; 0 keeps them as
            they are.
        input: Pixels in [0, 255], or with ImageNet's mean subtracted, from which a random network
            makes a map of local energy rather than a picture.
        device: Where to compute; auto uses a GPU if there is one.
    """

    weights: str = "gaussian:0.1"
    seed: int = 0
    network_number: int = 0
    size: SideOrAsItIs = 227
    input: InputName = "nonnegative"
    device: DeviceName = "auto"


@dataclass(frozen=True, kw_only=True)
class OwnCnnConfig(ReconstructConfig):
    """A CNN of one's own in place of an architecture, and its random DCN.

    The options that make a CNN of an architecture (`architecture` to `simplified`) mean nothing.

    Args:
        description: The CNN.
    """

    description: Description

    def encoder(self) -> Description:
        """The CNN."""
        return self.description


def parse_size(text: str) -> tuple[int, int]:
    """(height, width) of `227` or `200x300`.

    Raises:
        ValueError: `text` has neither form, or a side is out of range.
    """
    sides = text.lower().replace("×", "x").split("x")
    allowed = range_of(Side)
    assert allowed is not None
    if len(sides) > 2 or not all(s.isdecimal() and int(s[:9]) in allowed for s in sides):
        raise ValueError(
            f"`size` must be a side such as 227, or HEIGHTxWIDTH, {allowed}, got {text!r:.40}."
        )
    return int(sides[0]), int(sides[-1])
