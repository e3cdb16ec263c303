"""What decoders ask of an encoder: one protocol, whether a description built it or anyone's module.

Two encoders satisfy it: the `Network` of a CNN's description, and a layer of any `torch.nn.Module`
(`preimage.probing.layer_encoder`). Rooms below `probing` know the protocol only.
"""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.network.description import Description
from preimage.network.operations import UnpoolKind
from preimage.network.trace import Alignment, Size

#: Plain data that tells where weights come from. {"law", "seed", "network"}: they can be drawn
#: again. {}: unknown.
Origin = dict[str, Any]


@runtime_checkable
class Encoder(Protocol):
    """Features of pixels in [0, 255], the feature size of a size, and what mirrors it.

    `origin` identifies the weights; `name` is for titles and messages.
    """

    origin: Origin

    @property
    def name(self) -> str:
        """Of the network and its layer."""

    @property
    def out_channels(self) -> int:
        """Channels of the features."""

    @property
    def alignment(self) -> Alignment:
        """The block of pixels that each position of the features lies on."""

    def __call__(self, pixels: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N C h w"]:
        """Features of photos in [0, 255]."""

    def feature_size(self, size: Size) -> Size:
        """(height, width) of the features of photos of this size.

        Raises:
            ValueError: it takes no photos of this size.
        """

    def input_sizes(self, size: Size) -> dict[str, Size]:
        """The sizes that its mirror asks for, by name, for photos of this size.

        Raises:
            ValueError: it takes no photos of this size.
        """

    def mirror(self, unpool: UnpoolKind = "zeros") -> Description:
        """The DCN that leads from its features back to pixels."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data of what it is, its weights aside."""

    # What every torch.nn.Module has:

    def parameters(self) -> Any:
        """Its weights."""

    def state_dict(self) -> dict[str, Any]:
        """All of its tensors by name."""

    def eval(self) -> Any:
        """Itself, for use rather than training."""

    def to(self, device: torch.device) -> Any:
        """Itself, on a device."""
