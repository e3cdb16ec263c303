"""From a description and a law (or tensors) to a torch module."""

from collections.abc import Mapping
from contextlib import nullcontext
from itertools import pairwise
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from preimage.network import layers, winograd
from preimage.network.description import Description
from preimage.network.device import full_precision
from preimage.network.laws import Law, stream
from preimage.network.operations import Conv, Unpool, UnpoolKind
from preimage.network.trace import (
    Alignment,
    Size,
    alignment,
    feature_size,
    input_sizes,
    output_size,
)


class Network(nn.Module):
    """The network of a description. Parameters: `weights[name]`, and `biases[name]` if it has any.

    Runs in the channels-last memory format, which is as fast as channels first for plain
    convolutions and several times as fast for strided transposed convolutions and poolings, with
    AVX2 and with AVX-512 (benchmarks/RESULTS.md). Without gradients, wide convolutions go through
    `winograd` where that is faster, unless `fast` is False. In eval mode a GPU computes in
    `full_precision`, in train mode as torch is told.

    The network of a CNN is a `preimage.network.encoder.Encoder`. `origin` tells where its weights
    come from; those who read or draw them fill it in.
    """

    def __init__(self, description: Description) -> None:
        super().__init__()
        self.description = description
        self.fast = True
        self.origin: dict[str, Any] = {}
        self.weights = nn.ParameterDict()
        self.biases = nn.ParameterDict()
        self.norms = nn.ModuleDict()
        for op, in_channels in zip(description.operations, description.channels[:-1], strict=True):
            if isinstance(op, Conv):
                shape = (op.out_channels, in_channels, op.kernel_size, op.kernel_size)
                self.weights[op.name] = torch.empty(shape, memory_format=torch.channels_last)
                if op.bias:
                    self.biases[op.name] = torch.zeros(op.out_channels)
                if op.batch_norm:
                    self.norms[op.name] = nn.BatchNorm2d(op.out_channels)

    def forward(
        self, x: Float[Tensor, "N C H W"], sizes: Mapping[str, Size] | None = None
    ) -> Float[Tensor, "N D h w"]:
        """The output for a batch of inputs.

        Args:
            x: photos, or for a DCN alone the features of its CNN.
            sizes: for a DCN alone, the `input_sizes` of its CNN.

        Raises:
            ValueError: the wrong number of channels, or an input that is too small.
        """
        channels, *size = x.shape[1:]
        if channels != self.description.in_channels:
            raise ValueError(
                f"{self.description.name}: `x` must be (N, {self.description.in_channels}, H, W), "
                f"got {tuple(x.shape)}."
            )
        known = input_sizes(self.description, size[0], size[1], sizes)
        x = x.contiguous(memory_format=torch.channels_last)
        with nullcontext() if self.training else full_precision(x.device):
            return self._compute(x, known)

    def _compute(self, x: Tensor, known: Mapping[str, Size]) -> Tensor:
        pending: Unpool | None = None  # an unpooling that the next convolution takes over
        late: Conv | None = None  # whose activation follows the next pooling
        for op, after in pairwise((*self.description.operations, None)):
            assert op is not None
            if isinstance(op, Conv):
                x = self._convolve(x, op, pending, known)
                pending = None
                late = op if layers.commute(op, after) and not torch.is_grad_enabled() else None
                x = x if late else layers.activate(x, op)
            elif isinstance(op, Unpool) and isinstance(after, Conv):
                pending = op
            else:
                x = layers.apply(x, op, output_size(op, known[op.name], known))
                x = layers.activate(x, late) if late else x
                late = None
        return x

    def _convolve(
        self, x: Tensor, conv: Conv, pending: Unpool | None, known: Mapping[str, Size]
    ) -> Tensor:
        weight = self.weights[conv.name]
        bias = self.biases[conv.name] if conv.bias else None
        size = known[conv.name]
        fast = self.fast and not torch.is_grad_enabled()
        if pending and layers.can_fuse(pending, conv, known[pending.name], size):
            fast = fast and winograd.unpool_convolve_is_faster(x, pending, conv, size)
            upsample = winograd.unpool_convolve if fast else layers.unpool_convolve
            x = upsample(x, weight, bias, pending, conv, size)
        else:
            if pending:
                x = layers.unpool(x, pending, size)
            fast = fast and winograd.convolve_is_faster(x, conv)
            x = (winograd if fast else layers).convolve(x, weight, bias, conv)
        if conv.batch_norm:
            x = self.norms[conv.name](x)
        return x

    def extra_repr(self) -> str:
        """The operations, which parameters do not tell: pools, slopes, strides."""
        return "\n".join(map(str, self.description.operations))

    # --- as an encoder -----------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The description's."""
        return self.description.name

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.description.out_channels

    @property
    def alignment(self) -> Alignment:
        """`trace.alignment`. Raises ValueError for a DCN."""
        return alignment(self.description)

    def feature_size(self, size: Size) -> Size:
        """`trace.feature_size`."""
        return feature_size(self.description, size)

    def input_sizes(self, size: Size) -> dict[str, Size]:
        """`trace.input_sizes`: what its DCN asks for."""
        return input_sizes(self.description, *size)

    def mirror(self, unpool: UnpoolKind = "zeros") -> Description:
        """The description of its DCN."""
        return self.description.mirror(unpool)

    def to_dict(self) -> dict[str, Any]:
        """The description as plain data."""
        return self.description.to_dict()


@torch.no_grad()
def fold(network: Network) -> Network:
    """The same function without batch normalisation, folded into the weights and biases.

    γ (w∗x + b − μ) / √(σ² + ε) + β is a convolution with weights w·γ/√(σ² + ε) and a bias.
    """
    folded = Network(network.description.with_batch_norm(False).with_bias())
    for conv in network.description.convs:
        weight = network.weights[conv.name]
        bias = network.biases[conv.name] if conv.bias else weight.new_zeros(conv.out_channels)
        if conv.batch_norm:
            norm = cast(nn.BatchNorm2d, network.norms[conv.name])
            assert norm.running_mean is not None
            assert norm.running_var is not None
            factor = norm.weight / (norm.running_var + norm.eps).sqrt()
            weight = weight * factor[:, None, None, None]
            bias = (bias - norm.running_mean) * factor + norm.bias
        folded.weights[conv.name] = weight.contiguous(memory_format=torch.channels_last)
        folded.biases[conv.name] = bias
    return folded.eval()


_MOST_PARAMETERS = 2**34  # 64 GiB in float32


def _check_size(description: Description) -> None:
    channels = zip(description.operations, description.channels[:-1], strict=True)
    parameters = sum(
        op.out_channels * in_channels * op.kernel_size**2
        for op, in_channels in channels
        if isinstance(op, Conv)
    )
    if parameters > _MOST_PARAMETERS:
        raise ValueError(
            f"{description.name} has {parameters:.1e} weights, more than fit in memory; choose a "
            "smaller `width`."
        )


def build(
    description: Description,
    law: Law | str = "gaussian:fan-in",
    *,
    seed: int = 0,
    network_number: int = 0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Network:
    """The network of a description with random weights; any biases are zero.

    Each layer draws from its own stream, keyed by the seed, the network's number and the layer's
    name: network 7 of seed 0 can be built alone, and a layer has the same weights in every
    description that gives it the same shape.

        >>> from preimage import build, vgg16
        >>> encoder = vgg16().cut("conv2")
        >>> network = build(encoder + encoder.mirror(), "gaussian:0.1", seed=0)
        >>> network(torch.ones(1, 3, 31, 20)).shape
        torch.Size([1, 3, 31, 20])

    Raises:
        ValueError: no such law; a negative seed or number; or more weights than fit any memory.
    """
    law = Law.parse(law) if isinstance(law, str) else law
    _check_size(description)
    module = Network(description)
    for conv in description.convs:
        shape = tuple(module.weights[conv.name].shape)
        weight = law.sample(shape, stream(seed, network_number, conv.name), conv.slope)
        module.weights[conv.name] = weight.to(dtype).contiguous(memory_format=torch.channels_last)
    return module.to(device=device, dtype=dtype).eval()
