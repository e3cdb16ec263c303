import numpy as np
import pytest
import reference
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import encoders, unpools

from preimage.network.architectures import alexnet, torchvision_alexnet, vgg16
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.operations import Conv, Pool, PoolKind
from preimage.network.trace import input_sizes, least_size


def naive(network: Network, image: torch.Tensor) -> np.ndarray:
    weights = {name: weight.detach().numpy() for name, weight in network.weights.items()}
    return reference.run(network.description, weights, image[0].numpy())


@settings(max_examples=30)
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


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0, -0.5])
@pytest.mark.parametrize("pool", ["max", "avg", "l2"])
def test_an_activation_behind_its_pool_gives_the_same_bits(slope: float, pool: PoolKind) -> None:
    """Without gradients a maximum over pixels comes first, where the activation does not fall."""
    convs = (
        Conv("a", 4, slope=slope),
        Pool("pool", pool, 3, 2),
        Conv("b", 5, slope=slope, normalised=True),
        Pool("pool2", pool, ceil=False),
    )
    network = build(Description("ends in a pool", convs, 3), seed=3)
    image = torch.randn(2, 3, 13, 10, generator=torch.Generator().manual_seed(0))
    with torch.enable_grad():
        expected = network(image)
    with torch.no_grad():
        assert torch.equal(network(image), expected)


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
