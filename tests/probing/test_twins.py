"""Twins: drawn alike for one seed, with nothing trained left, and the model untouched."""

import pytest
import torch
from torch import Tensor, nn

from preimage import Conv, Description, build
from preimage.network.laws import Law
from preimage.probing.twins import estimate_statistics, random_twin


class Trained(nn.Module):
    """Convolution, norm, a bare parameter without an initialisation of its own, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.position = nn.Parameter(torch.zeros(6, 1, 1))
        self.linear = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.norm(self.conv(x)) + self.position
        out: Tensor = self.linear(maps.relu().mean((2, 3)))
        return out


@pytest.fixture
def trained(generator: torch.Generator) -> Trained:
    model = Trained()
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(3 + torch.randn(tensor.shape, generator=generator).abs())
    return model


def test_one_seed_one_twin(trained: Trained) -> None:
    generator_before = torch.get_rng_state()
    state = {name: value.clone() for name, value in trained.state_dict().items()}
    one, same, other = (random_twin(trained, seed).model for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), generator_before)
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert not torch.equal(one.conv.weight, other.conv.weight)  # type: ignore[union-attr,arg-type]
    assert all(torch.equal(value, state[name]) for name, value in trained.state_dict().items())


def test_nothing_trained_survives(trained: Trained) -> None:
    twin = random_twin(trained, 0)
    for name, value in twin.model.named_parameters():
        assert not torch.equal(value, dict(trained.named_parameters())[name])
    assert twin.redrawn == ("position",)
    assert twin.how == "reset_parameters"
    # PyTorch's own initialisation of a convolution is uniform within 1/√fan_in.
    bound = 27**-0.5
    assert float(dict(twin.model.named_parameters())["conv.weight"].detach().abs().max()) <= bound


def test_a_law_draws_convolutions_and_linear_layers(trained: Trained) -> None:
    twin = random_twin(trained, 0, initialisation="gaussian:0.5")
    values = dict(twin.model.named_parameters())
    weight = values["conv.weight"]
    stderr = 0.5 / (2 * weight.numel()) ** 0.5
    assert abs(float(weight.detach().std()) - 0.5) < 4 * stderr
    assert not values["conv.bias"].any()
    assert not values["linear.bias"].any()
    with pytest.raises(ValueError, match="must be one of gaussian"):
        random_twin(trained, 0, initialisation="normal:1")


@pytest.mark.parametrize("law", ["gaussian:0.5", "uniform:fan-in"])
def test_a_law_draws_networks_of_descriptions(law: str) -> None:
    network = build(Description("d", (Conv("c", 40, slope=0.5, bias=True),)), seed=3)
    nn.init.constant_(network.biases["c"], 2.0)
    twin = random_twin(network, 0, initialisation=law)
    values = dict(twin.model.named_parameters())
    weight, expected = values["weights.c"], Law.parse(law).std(27, slope=0.5)
    assert abs(float(weight.detach().std()) - expected) < 4 * expected / (2 * weight.numel()) ** 0.5
    assert not values["biases.c"].any()
    assert twin.redrawn == ()


def test_a_function_builds_the_untrained_model(trained: Trained) -> None:
    twin = random_twin(trained, 5, initialisation=Trained)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        expected = Trained()
    assert torch.equal(dict(twin.model.named_parameters())["conv.weight"], expected.conv.weight)
    assert not dict(twin.model.named_parameters())["position"].any()  # as the model is built
    with pytest.raises(ValueError, match="differs in position: None there"):
        random_twin(trained, 0, initialisation=lambda: nn.Linear(2, 2))


def test_statistics_are_those_of_the_photos(trained: Trained, generator: torch.Generator) -> None:
    batches = [torch.randn(4, 3, 8, 8, generator=generator) for _ in range(3)]
    twin = random_twin(trained, 0, batches)
    assert twin.statistics
    model = twin.model
    assert isinstance(model, Trained)
    maps = [model.conv(batch) for batch in batches]
    mean = torch.stack([m.mean((0, 2, 3)) for m in maps]).mean(0)
    variance = torch.stack([m.movedim(1, 0).flatten(1).var(1) for m in maps]).mean(0)
    torch.testing.assert_close(model.norm.running_mean, mean)
    torch.testing.assert_close(model.norm.running_var, variance)
    assert model.norm.momentum == 0.1
    assert not model.norm.training
    without = random_twin(trained, 0)
    assert not without.statistics
    assert isinstance(without.model, Trained)
    assert not without.model.norm.running_mean.any()  # type: ignore[union-attr]


def test_estimates_need_no_gradients(trained: Trained, generator: torch.Generator) -> None:
    estimate_statistics(trained, [torch.randn(4, 3, 8, 8, generator=generator)])
    assert all(p.grad is None for p in trained.parameters())


def test_a_model_without_parameters_has_no_twin() -> None:
    with pytest.raises(ValueError, match="has no parameters"):
        random_twin(nn.ReLU(), 0)
