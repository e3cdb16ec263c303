import numpy as np
import pytest
import reference
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import encoders, unpools

from preimage.network import layers
from preimage.network.architectures import alexnet, torchvision_alexnet, vgg16
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.operations import Conv, Normalise, Pool, Unpool
from preimage.network.trace import input_sizes, least_size, output_size


def naive(network: Network, image: torch.Tensor) -> np.ndarray:
    weights = {name: weight.detach().numpy() for name, weight in network.weights.items()}
    return reference.run(network.description, weights, image[0].numpy())


@settings(max_examples=60)
@given(encoders(), unpools, st.booleans(), st.integers(5, 15), st.integers(5, 15))
def test_equals_the_naive_network(
    encoder: Description, unpool: str, mean: bool, height: int, width: int
) -> None:
    description = encoder + encoder.mirror(unpool)  # type: ignore[arg-type]
    description = description.with_mean_head() if mean else description
    assume(least_size(description) <= min(height, width))
    network = build(description, "gaussian:fan-in", dtype=torch.float64)
    image = torch.rand(1, description.in_channels, height, width, dtype=torch.float64)
    with torch.inference_mode():
        output = network(image)[0].numpy()
    np.testing.assert_allclose(output, naive(network, image), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("unpool", ["zeros", "nearest", "bilinear"])
@pytest.mark.parametrize("make", [vgg16, alexnet, torchvision_alexnet])
def test_the_papers_networks_equal_the_naive_ones(make, unpool) -> None:  # type: ignore[no-untyped-def]
    encoder = make().cut("conv3").with_width(2)
    network = build(encoder + encoder.mirror(unpool), dtype=torch.float64)
    image = torch.rand(1, 3, 37, 45, dtype=torch.float64)
    with torch.inference_mode():
        output = network(image)[0].numpy()
    np.testing.assert_allclose(output, naive(network, image), rtol=1e-9, atol=1e-12)


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


def test_a_layers_weights_do_not_depend_on_the_others() -> None:
    shallow = build(vgg16().cut("conv2"), "laplace:0.015", seed=3, network_number=7)
    deep = build(vgg16().cut("conv3").with_bias(), "laplace:0.015", seed=3, network_number=7)
    for name, weight in shallow.weights.items():
        assert torch.equal(weight, deep.weights[name])
    assert all(not bias.any() for bias in deep.biases.values())
    other = build(vgg16().cut("conv1"), "laplace:0.015", seed=3, network_number=8)
    assert not torch.equal(other.weights["conv1_1"], shallow.weights["conv1_1"])
    assert not torch.equal(shallow.weights["conv1_2"][0, 0], shallow.weights["conv2_1"][0, 0])


def test_weights_depend_on_neither_precision_nor_threads() -> None:
    description = vgg16().cut("conv2")
    single = build(description, "logistic:0.015")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        double = build(description, "logistic:0.015", dtype=torch.float64)
    finally:
        torch.set_num_threads(threads)
    for name, weight in double.weights.items():
        assert torch.equal(weight.float(), single.weights[name])


def test_positive_homogeneity() -> None:
    """With (leaky) ReLU and no bias the Gaussian's σ only scales the features."""
    encoder = vgg16().cut("conv2").scale_width(0.1).with_activation(0.2)
    image = torch.rand(1, 3, 21, 20, dtype=torch.float64)
    small, large = (build(encoder, f"gaussian:{s}", dtype=torch.float64) for s in (0.5, 1))
    torch.testing.assert_close(large(image), small(image) * 2**4)


def test_decoder_alone_equals_the_pair() -> None:
    encoder = vgg16().cut("conv3").scale_width(0.1)
    image = torch.rand(1, 3, 43, 30)
    pair = build(encoder + encoder.mirror("nearest"))
    features = build(encoder)(image)
    output = build(encoder.mirror("nearest"))(features, input_sizes(encoder, 43, 30))
    torch.testing.assert_close(output, pair(image))


def test_gradients_reach_every_weight() -> None:
    encoder = vgg16().cut("conv2").scale_width(0.1).with_normalisation()
    network = build((encoder + encoder.mirror("nearest")).with_bias())
    network(torch.rand(1, 3, 19, 22)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_wrong_input() -> None:
    network = build(alexnet().cut("conv2").with_width(2))
    with pytest.raises(ValueError, match=r"`x` must be \(N, 3, H, W\), got \(1, 1, 64, 64\)"):
        network(torch.rand(1, 1, 64, 64))
    with pytest.raises(ValueError, match=r"at least 15×15 pixels, got 14×64"):
        network(torch.rand(1, 3, 14, 64))


def test_normalise_and_back() -> None:
    forward = Normalise("n", (120.0, 3.0), (-50.0, 0.25))
    x = torch.rand(2, 2, 3, 5, dtype=torch.float64) * 255
    y = layers.apply(x, forward, (3, 5))
    torch.testing.assert_close(y[:, 0], (x[:, 0] - 120) / -50)
    torch.testing.assert_close(layers.apply(y, forward.inverse("back"), (3, 5)), x)
