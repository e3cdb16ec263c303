import numpy as np
import pytest
import reference
import torch

from preimage.network import layers
from preimage.network.operations import Conv, Normalise, Pool, Unpool
from preimage.network.trace import output_size


@pytest.mark.parametrize("kind", ["zeros", "nearest"])
@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize(
    "conv", [Conv("c", 3), Conv("c", 2, 5, padding=(0, 3)), Conv("c", 2, 1, padding=(0, 0))]
)
def test_fused_unpooling_is_unpool_then_convolve(kind: str, stride: int, conv: Conv) -> None:
    x = torch.rand(2, 4, 5, 7, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(conv.out_channels, 4, conv.kernel_size, conv.kernel_size).double()
    bias = torch.randn(conv.out_channels).double()
    op = Unpool("u", kind, stride)  # type: ignore[arg-type]
    sizes = [(5 * stride, 7 * stride)]
    if kind == "zeros":
        sizes.append((5 * stride + 6, 7 * stride + 1))
    for size in sizes:
        assert layers.can_fuse(op, conv, (5, 7), size)
        fused = layers.unpool_convolve(x, weight, bias, op, conv, size)
        plain = layers.convolve(layers.unpool(x, op, size), weight, bias, conv)
        torch.testing.assert_close(fused, plain)
        gradients = [torch.autograd.grad(y.square().sum(), x)[0] for y in (fused, plain)]
        torch.testing.assert_close(*gradients)


def test_a_nearest_unpooling_with_repeated_border_is_not_fused() -> None:
    op = Unpool("u", "nearest", 2)
    assert not layers.can_fuse(op, Conv("c", 1), (13, 13), (27, 27))


@pytest.mark.parametrize("kind", ["max", "avg", "l2"])
@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_clipped_windows(kind: str, size: int) -> None:
    op = Pool("pool", kind)  # type: ignore[arg-type]
    x = torch.rand(1, 2, size, size + 1, dtype=torch.float64)
    expected = reference.pool(x[0].numpy(), op)
    np.testing.assert_allclose(layers.pool(x, op)[0].numpy(), expected)
    assert expected.shape[1:] == output_size(op, (size, size + 1), {})


def test_normalise_and_back() -> None:
    forward = Normalise("n", (120.0, 3.0), (-50.0, 0.25))
    x = torch.rand(2, 2, 3, 5, dtype=torch.float64) * 255
    y = layers.apply(x, forward, (3, 5))
    torch.testing.assert_close(y[:, 0], (x[:, 0] - 120) / -50)
    torch.testing.assert_close(layers.apply(y, forward.inverse("back"), (3, 5)), x)


def test_the_activation_and_definition_5_1s_factor() -> None:
    x = torch.tensor([-2.0, 0.0, 3.0]).view(1, 3, 1, 1)
    for slope, expected in ((0.0, [0, 0, 3]), (0.2, [-0.4, 0, 3]), (1.0, [-2, 0, 3])):
        conv = Conv("c", 4, slope=slope)
        got = layers.activate(x.clone(), conv).flatten()
        torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float32))
        halved = layers.activate(x.clone(), Conv("c", 4, slope=slope, normalised=True))
        torch.testing.assert_close(halved.flatten(), got / 2)
