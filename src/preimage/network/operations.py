"""The operations of a network, as plain frozen data. Nothing here imports torch."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeAlias

from preimage.network.ranges import Channels, Kernel, Side

PoolKind: TypeAlias = Literal["max", "avg", "l2"]
UnpoolKind: TypeAlias = Literal["zeros", "nearest", "bilinear"]

#: The name of the network's input in `Unpool.like` and `Crop.like`.
DATA = "data"


@dataclass(frozen=True)
class Conv:
    """A convolution with square kernels, then `max(x, 0) + slope · min(x, 0)`.

    `slope` 0 is ReLU, 0.2 the paper's leaky ReLU, 1 no activation. `padding` counts the zeros
    before (top, left) and after (bottom, right). `normalised` divides by √out_channels as in the
    paper's Definition 5.1. `batch_norm` normalises each channel before the activation (Ioffe &
    Szegedy 2015), for training classifiers; `build.fold` moves it into the weights afterwards.
    `output` marks the convolution whose output is the image; transformations of the hidden
    convolutions leave its width and its activation alone.
    """

    op: ClassVar = "conv"
    name: str
    out_channels: Channels
    kernel_size: Kernel = 3
    stride: Side = 1
    padding: tuple[int, int] = (1, 1)
    slope: float = 0.0
    bias: bool = False
    normalised: bool = False
    batch_norm: bool = False
    output: bool = False

    def __post_init__(self) -> None:
        require_positive(self, "out_channels", "kernel_size", "stride")
        if not _is_finite(self.slope):
            raise ValueError(f"{self.name}: `slope` must be a finite number, got {self.slope!r}.")
        if len(self.padding) != 2 or not all(0 <= p < self.kernel_size for p in self.padding):
            raise ValueError(
                f"{self.name}: `padding` must be two numbers from 0 to kernel_size - 1 = "
                f"{self.kernel_size - 1}, got {self.padding}."
            )

    def with_kernel_size(self, kernel_size: int) -> "Conv":
        """The convolution with this kernel and the padding that keeps the output size.

        Raises:
            ValueError: that padding would be negative.
        """
        grown = kernel_size - self.kernel_size
        before, after = self.padding
        padding = (before + grown // 2, after + grown - grown // 2)
        if min(padding) < 0:
            raise ValueError(
                f"{self.name} (kernel {self.kernel_size}, stride {self.stride}, padding "
                f"{self.padding}) can't keep its output size with a kernel of {kernel_size}; "
                "choose a larger `kernel_size`."
            )
        return replace(self, kernel_size=kernel_size, padding=padding)


@dataclass(frozen=True)
class Pool:
    """Max, average or l2 pooling; no padding; ceil mode unless told otherwise.

    Windows start at pixel 0. In ceil mode the border may clip the last window, which then averages
    (or sums) over the pixels it has left. l2 is the root of the sum of squares.
    """

    op: ClassVar = "pool"
    name: str
    kind: PoolKind = "max"
    kernel_size: Side = 2
    stride: Side = 2
    ceil: bool = True

    def __post_init__(self) -> None:
        require_positive(self, "kernel_size", "stride")
        _require_choice(self, "kind", ("max", "avg", "l2"))


@dataclass(frozen=True)
class Unpool:
    """Upsampling to stride × size or to the input size of operation `like`, whichever is larger.

    zeros: the value at the first pixel of its block, zeros elsewhere and beyond the blocks.
    nearest: the value at every pixel of its block. bilinear: interpolation between the centres of
    blocks. The last two repeat the last pixel beyond the blocks.
    """

    op: ClassVar = "unpool"
    name: str
    kind: UnpoolKind = "zeros"
    stride: Side = 2
    like: str = DATA

    def __post_init__(self) -> None:
        require_positive(self, "stride")
        _require_choice(self, "kind", ("zeros", "nearest", "bilinear"))


@dataclass(frozen=True)
class Crop:
    """Cuts rows at the bottom and columns on the right, to the input size of operation `like`."""

    op: ClassVar = "crop"
    name: str = "crop"
    like: str = DATA


@dataclass(frozen=True)
class ChannelMean:
    """The mean over all channels: the head of the paper's variant (Section 4.2)."""

    op: ClassVar = "mean"
    name: str = "mean"


@dataclass(frozen=True)
class Normalise:
    """(x − mean) / std per channel: what a trained network does to its input."""

    op: ClassVar = "normalise"
    name: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std):
            raise ValueError(
                f"{self.name}: `mean` and `std` must each have one value per channel, got "
                f"{len(self.mean)} and {len(self.std)}."
            )
        for name in ("mean", "std"):
            values = getattr(self, name)
            if not all(_is_finite(value) and (value or name == "mean") for value in values):
                raise ValueError(
                    f"{self.name}: `{name}` must be finite numbers"
                    f"{', none of them zero' if name == 'std' else ''}, got {values}."
                )

    def inverse(self, name: str) -> "Normalise":
        """The operation that undoes this one: (x + mean/std) / (1/std) = x · std + mean."""
        pairs = list(zip(self.mean, self.std, strict=True))
        return Normalise(name, tuple(-m / s for m, s in pairs), tuple(1 / s for _, s in pairs))


Operation: TypeAlias = Conv | Pool | Unpool | Crop | ChannelMean | Normalise


def block_of(op: Operation) -> str:
    """The paper's layer to which an operation belongs: `conv3` for conv3_2."""
    return op.name.split("_", 1)[0]


def require_positive(owner: Any, *names: str) -> None:
    """Refuses an owner in which one of these fields is not a positive integer."""
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{owner.name}: `{name}` must be a positive integer, got {value!r}.")


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _require_choice(owner: Any, name: str, choices: tuple[str, ...]) -> None:
    if getattr(owner, name) not in choices:
        raise ValueError(
            f"{owner.name}: `{name}` must be one of {', '.join(choices)}, got "
            f"{getattr(owner, name)!r}."
        )


def check_operations(name: str, operations: Sequence[Operation], channels: Sequence[int]) -> None:
    """Refuses operations that make no network; `channels` are those that each takes, and more.

    Raises:
        ValueError: two of one name, or a normalisation for another number of channels.
    """
    names = Counter((DATA, *(op.name for op in operations)))
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise ValueError(f"{name}: every operation needs its own name, twice: {twice}.")
    for op, taken in zip(operations, channels, strict=False):
        if isinstance(op, Normalise) and len(op.mean) != taken:
            raise ValueError(
                f"{name}: {op.name} is for {len(op.mean)} channels, but takes {taken}."
            )
