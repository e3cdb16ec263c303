"""A network as plain data: a list of operations, and the transformations that change it.

Four things are read off a description: the description of its mirrored DCN (`mirror`), its shapes
and costs (`preimage.network.trace`), the torch module (`preimage.network.build`), and its
infinite-width output (`preimage.network.limit`). An experiment is a transformation of a
description, never a second network class. Nothing here imports torch.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from preimage.network.mirror import mirror_operations
from preimage.network.operation_table import operation_rows
from preimage.network.operations import (
    ChannelMean,
    Conv,
    Normalise,
    Operation,
    Pool,
    PoolKind,
    UnpoolKind,
    block_of,
    check_operations,
    require_positive,
)
from preimage.network.plain_data import operation_to_dict, read_description
from preimage.network.simplified import simplified_operations
from preimage.notebook.view import Shown

_SHOWN_SIZE = (227, 227)  # the paper's: for it a notebook shows shapes
_AnyOperation = TypeVar("_AnyOperation", bound=Operation)


@dataclass(frozen=True, repr=False)
class Description(Shown):
    """Operations in order, and the number of channels of the input.

    `encoder + decoder` chains two descriptions. Transformations return a new description; none
    changes the sizes of feature maps (`with_kernel_size` adapts the padding). In a notebook a
    description shows its operations, with shapes for an input of 227×227.
    """

    name: str
    operations: tuple[Operation, ...]
    in_channels: int = 3

    def __post_init__(self) -> None:
        require_positive(self, "in_channels")
        check_operations(self.name, self.operations, self.channels)

    def __add__(self, other: "Description") -> "Description":
        """This network, then the other one."""
        if self.out_channels != other.in_channels:
            raise ValueError(
                f"{other.name} takes {other.in_channels} channels, but {self.name} gives "
                f"{self.out_channels}."
            )
        return replace(
            self, name=f"{self.name} + {other.name}", operations=self.operations + other.operations
        )

    # --- reading ---------------------------------------------------------------------------

    def __repr__(self) -> str:
        channels = f"{self.in_channels} → {self.out_channels} channels"
        return f"Description({self.name}: {len(self.operations)} operations, {channels})"

    def _rows(self) -> list[dict[str, Any]]:
        return operation_rows(self.operations, self.channels, _SHOWN_SIZE)

    @property
    def convs(self) -> tuple[Conv, ...]:
        """The convolutions, in order."""
        return tuple(op for op in self.operations if isinstance(op, Conv))

    @property
    def channels(self) -> tuple[int, ...]:
        """The number of input channels of each operation, then that of the output."""
        counts = [self.in_channels]
        for op in self.operations:
            match op:
                case Conv():
                    counts.append(op.out_channels)
                case ChannelMean():
                    counts.append(1)
                case _:
                    counts.append(counts[-1])
        return tuple(counts)

    @property
    def out_channels(self) -> int:
        """The number of channels of the output."""
        return self.channels[-1]

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the paper's layers: `conv1` for a single conv1 or for conv1_1, conv1_2, …"""
        return tuple(dict.fromkeys(block_of(conv) for conv in self.convs))

    @property
    def layers(self) -> tuple[str, ...]:
        """Every name that `cut` accepts."""
        return tuple(dict.fromkeys((*self.blocks, *(conv.name for conv in self.convs))))

    # --- transformations ---------------------------------------------------------------------

    def cut(self, layer: str, *, pooled: bool = False) -> "Description":
        """The network up to and including `layer`: a block (`conv3`) or one convolution.

        The representation is taken before the pooling that follows (Section 2.1) or, with `pooled`,
        after it (the Conv1-DeConv1 of Section 4.2).

        Raises:
            ValueError: no such layer, or `pooled` although no pooling follows.
        """
        ends = [
            index
            for index, op in enumerate(self.operations, start=1)
            if isinstance(op, Conv) and layer in (op.name, block_of(op))
        ]
        if not ends:
            raise ValueError(
                f"`layer` must be one of {', '.join(self.layers)} for {self.name}, got {layer!r}."
            )
        end = ends[-1]
        if pooled:
            if not isinstance(next(iter(self.operations[end:]), None), Pool):
                raise ValueError(
                    f"{self.name} has no pooling after {layer}; leave out `pooled`, or choose "
                    f"one of {', '.join(self._pooled_layers())}."
                )
            end += 1
        name = f"{self.name} {layer}{' pooled' if pooled else ''}"
        return replace(self, name=name, operations=self.operations[:end])

    def _pooled_layers(self) -> list[str]:
        pairs = zip(self.operations, self.operations[1:], strict=False)
        return [a.name for a, b in pairs if isinstance(a, Conv) and isinstance(b, Pool)]

    def simplified(self, *, resize: bool = True) -> "Description":
        """The image connected directly to the last block: the network of Figure 7, second row.

        The blocks before it are removed. Their pools (and strides) stay as average pools, so that
        the block works at its own resolution of Table 1; without `resize` they are removed too,
        and the block works at the resolution of the image. The input's normalisation stays.

        Raises:
            ValueError: there is no convolution.
        """
        if not self.convs:
            raise ValueError(f"{self.name} has no convolution; there is no block to keep.")
        name = f"{self.name} simplified{'' if resize else ' direct'}"
        return replace(self, name=name, operations=simplified_operations(self.operations, resize))

    def with_width(self, width: int) -> "Description":
        """Every hidden convolution with `width` channels."""
        return self._map_hidden(lambda conv: replace(conv, out_channels=width))

    def scale_width(self, factor: float) -> "Description":
        """Every hidden convolution with `factor` times its channels, rounded to at least one."""
        if not (factor > 0 and math.isfinite(factor)):
            raise ValueError(f"`factor` must be positive and finite, got {factor}.")
        return self._map_hidden(
            lambda conv: replace(conv, out_channels=max(1, round(conv.out_channels * factor)))
        )

    def with_kernel_size(self, kernel_size: int) -> "Description":
        """Every convolution with `kernel_size` and the padding that keeps all sizes.

        Raises:
            ValueError: the padding that keeps the size would be negative.
        """
        return self._map(Conv, lambda conv: conv.with_kernel_size(kernel_size))

    def with_pool(self, kind: PoolKind) -> "Description":
        """Every pooling of this kind."""
        Pool("pool", kind)  # refuses an unknown kind, pools or not
        return self._map(Pool, lambda pool: replace(pool, kind=kind))

    def with_activation(self, slope: float) -> "Description":
        """Every hidden convolution with this slope: 0 is ReLU, 1 none, leaky ReLU in between."""
        return self._map_hidden(lambda conv: replace(conv, slope=slope))

    def with_bias(self, bias: bool = True) -> "Description":
        """Every convolution with (or without) a bias."""
        return self._map(Conv, lambda conv: replace(conv, bias=bias))

    def with_batch_norm(self, batch_norm: bool = True) -> "Description":
        """Every hidden convolution with (or without) batch normalisation."""
        return self._map_hidden(lambda conv: replace(conv, batch_norm=batch_norm))

    def with_input(self, mean: tuple[float, ...], std: tuple[float, ...]) -> "Description":
        """The encoder applied to (x − mean) / std, replacing any normalisation it begins with.

        The normalisation is part of a pre-trained network, so that every encoder takes the same
        pixels; its mirror ends in the inverse and returns pixels.

        Raises:
            ValueError: not one value per channel, or a `std` of zero.
        """
        starts = bool(self.operations) and isinstance(self.operations[0], Normalise)
        operations = (Normalise("normalise", mean, std), *self.operations[starts:])
        return replace(self, operations=operations)

    def with_mean_head(self) -> "Description":
        """The variant of Section 4.2: the mean over channels in place of the last convolution.

        A final `Normalise`, which would turn its channels back into pixels, is removed: the mean
        has a single channel.

        Raises:
            ValueError: there is no output convolution (the description is a bare encoder).
        """
        if not any(conv.output for conv in self.convs):
            raise ValueError(
                f"{self.name} does not end in an image; add its mirror before the mean head."
            )
        end = next(i for i, op in enumerate(self.operations) if isinstance(op, Conv) and op.output)
        behind = (op for op in self.operations[end + 1 :] if not isinstance(op, Normalise))
        head = (*self.operations[:end], ChannelMean(), *behind)
        return replace(self, name=f"{self.name} mean", operations=head)

    def with_normalisation(self) -> "Description":
        """Definition 5.1: hidden convolutions divided by √channels, except just before a mean head.

        With it the output has a limit as the width grows. Angles, Pearson's r and the SSIM of
        stretched images are the same without it.
        """
        has_mean = any(isinstance(op, ChannelMean) for op in self.operations)
        last = self.convs[-1].name if has_mean and self.convs else None
        return self._map_hidden(lambda conv: replace(conv, normalised=conv.name != last))

    def _map(
        self, kind: type[_AnyOperation], change: Callable[[_AnyOperation], Operation]
    ) -> "Description":
        return replace(
            self,
            operations=tuple(change(op) if isinstance(op, kind) else op for op in self.operations),
        )

    def _map_hidden(self, change: Callable[[Conv], Conv]) -> "Description":
        return self._map(Conv, lambda conv: conv if conv.output else change(conv))

    def mirror(self, unpool: UnpoolKind = "zeros") -> "Description":
        """The DCN that leads from this encoder's output back to its input (Section 2.1).

        `encoder + encoder.mirror()` is the CNN-DCN; on its own, the DCN needs the input sizes of
        the encoder's layers (`preimage.network.trace.input_sizes`). The rules stand in
        `preimage.network.mirror`.

        Args:
            unpool: the kind of unpooling that mirrors a pooling.

        Raises:
            ValueError: the encoder has no convolution, or contains an operation without a mirror.
        """
        if not self.convs:
            raise ValueError(f"{self.name} has no convolution; there is nothing to mirror.")
        operations = mirror_operations(self.operations, self.channels[:-1], unpool)
        return Description(f"{unpool} mirror", operations, self.out_channels)

    # --- JSON --------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        return {
            "name": self.name,
            "in_channels": self.in_channels,
            "operations": [operation_to_dict(op) for op in self.operations],
        }

    @classmethod
    def from_dict(cls, data: object) -> "Description":
        """The description that `to_dict` wrote.

        Raises:
            ValueError: a key or an operation is missing or unknown, or a value is not what its
                field holds; the message names it.
        """
        name, operations, in_channels = read_description(data)
        return cls(name, operations, in_channels)

    def to_json(self, indent: int | None = 2) -> str:
        """The description as JSON text."""
        return json.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_json(cls, text: str) -> "Description":
        """The description in a JSON text.

        Raises:
            ValueError: not JSON, or not a description.
        """
        try:
            return cls.from_dict(json.loads(text))
        except RecursionError:
            raise ValueError("not a description: nested too deeply.") from None
