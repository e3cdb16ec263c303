"""The least-squares decoder: the best linear map from windows of feature maps to pixels.

One linear map with an intercept takes the k×k window of features around a position to the block
of stride × stride pixels that it corresponds to. It is the best decoder of one linear layer, found
in closed form in one pass over the photos, without learning rate or epochs: a yardstick for trained
decoders. `preimage.decoders.ridge` finds it.
"""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from preimage.decoders.arrays import Maps, Photos
from preimage.decoders.blocks import on_blocks
from preimage.decoders.cards import require_tensors
from preimage.network.device import full_precision
from preimage.network.ranges import Kernel, Nonnegative, Range, Side
from preimage.network.schema import read_as
from preimage.network.trace import Alignment, Size
from preimage.notebook.view import Drawn


@dataclass(frozen=True, repr=False)
class FitRecord(Drawn):
    """How a least-squares decoder was found.

    `held_back_mse` has, for each of `ridges`, the mean squared error (grey levels², outputs not
    clipped) on the `held_back` photos after a fit to the others, or None if the ridge was too small
    to solve. `ridge` has the smallest error; with it the decoder is fitted to all `photos`.
    `samples` counts windows.
    """

    ridge: Nonnegative
    ridges: tuple[Nonnegative, ...]
    held_back_mse: tuple[Nonnegative | None, ...]
    photos: int
    held_back: int
    samples: int

    def __repr__(self) -> str:
        return (
            f"FitRecord({self.photos} photos, {self.samples:,} windows: ridge {self.ridge:g} of "
            f"{len(self.ridges)}, chosen on {self.held_back} photos)"
        )

    def _rows(self) -> list[dict[str, Any]]:
        errors = self.held_back_mse or (None,) * len(self.ridges)
        return [
            {"ridge": f"{ridge:g}", "held_back_mse": error, "chosen": ridge == self.ridge}
            for ridge, error in zip(self.ridges, errors, strict=False)
        ]

    def _draw(self, ax: Any) -> None:
        pairs = zip(self.ridges, self.held_back_mse, strict=False)
        solved = [(ridge, error) for ridge, error in pairs if error is not None]
        ax.semilogx(*zip(*solved, strict=True), "o-") if solved else None
        ax.axvline(self.ridge, linestyle="--", linewidth=1, label=f"chosen: {self.ridge:g}")
        ax.set(xlabel="ridge", ylabel="mean squared error of held-back photos")
        ax.legend(loc="best", frameon=False)


@dataclass(frozen=True)
class _Metadata:
    stride: Side
    shift: Annotated[int, Range(-16384, 16384)]
    window: Kernel
    fit: FitRecord


class LeastSquaresDecoder(nn.Module):
    """Pixels from feature maps: one convolution gives the pixels of each block.

    Buffers: `weight` (D·s², C, k, k) and `bias` (D·s²), with stride s and D image channels.
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        weight: Float[Tensor, "Q C K K"],
        bias: Float[Tensor, " Q"],
        alignment: Alignment,
        record: FitRecord,
    ) -> None:
        super().__init__()
        block = alignment.stride**2
        if weight.shape[0] != bias.shape[0] or weight.shape[0] % block or weight.shape[-1] % 2 == 0:
            raise ValueError(
                f"a decoder of stride {alignment.stride} has an odd window and {block} outputs for "
                f"each channel of the image; got weight {tuple(weight.shape)}, bias "
                f"{tuple(bias.shape)}."
            )
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", bias)
        self.alignment, self.record = alignment, record

    @property
    def window(self) -> int:
        """The side k of the window of features."""
        return self.weight.shape[-1]

    def extra_repr(self) -> str:
        """What torch prints of it: channels, window and block."""
        side = self.alignment.stride
        return f"{self.weight.shape[1]} channels, window {self.window}, blocks of {side}×{side}"

    def forward(self, features: Maps, size: Size) -> Photos:
        """Images of this (height, width), in [0, 255] but not clipped.

        Raises:
            ValueError: the wrong number of channels.
        """
        if features.shape[1] != self.weight.shape[1]:
            raise ValueError(
                f"this decoder takes features of {self.weight.shape[1]} channels, got "
                f"{tuple(features.shape)}; use the encoder that it was fitted to."
            )
        maps = on_blocks(features, self.alignment, size)
        maps = maps.contiguous(memory_format=torch.channels_last)
        weight, bias = self.weight.to(maps.dtype), self.bias.to(maps.dtype)
        with full_precision(maps.device):
            blocks = F.conv2d(maps, weight, bias, padding=self.window // 2)
        return F.pixel_shuffle(blocks, self.alignment.stride)[..., : size[0], : size[1]]

    def tensors(self) -> dict[str, Tensor]:
        """The weights, for a file; with `metadata`, all that `from_parts` needs."""
        return {"weight": self.weight.contiguous(), "bias": self.bias}

    def metadata(self) -> dict[str, Any]:
        """What JSON can hold: the alignment, the window, how it was fitted."""
        return {
            "stride": self.alignment.stride,
            "shift": self.alignment.shift,
            "window": self.window,
            "fit": asdict(self.record),
        }

    @classmethod
    def from_parts(
        cls, tensors: dict[str, Tensor], metadata: dict[str, Any]
    ) -> "LeastSquaresDecoder":
        """The decoder with these `tensors()` and `metadata()`.

        Raises:
            ValueError: something is missing, unknown, or of the wrong shape or kind.
        """
        card = read_as(_Metadata, metadata, "decoder")
        shape = tensors["weight"].shape if "weight" in tensors else ()
        outputs, channels = shape[:2] if len(shape) == 4 else (3 * card.stride**2, 1)
        form = {
            "weight": torch.empty(outputs, channels, card.window, card.window, device="meta"),
            "bias": torch.empty(outputs, device="meta"),
        }
        require_tensors(tensors, form, "the least-squares decoder")
        alignment = Alignment(card.stride, card.shift)
        return cls(tensors["weight"], tensors["bias"], alignment, card.fit)
