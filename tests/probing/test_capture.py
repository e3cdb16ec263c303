"""Features are copied on the way, and the model is left as it was."""

import pytest
import torch
from torch import Tensor, nn

from preimage.probing.capture import (
    LayerError,
    capture,
    check_features,
    find_layers,
    undisturbed,
)


class Net(nn.Module):
    """A convolution whose output an in-place ReLU overwrites; a module used twice; one unused."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.twice = nn.Identity()
        self.unused = nn.Linear(2, 2)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(x))
        return self.norm(self.twice(self.twice(x)))


@pytest.fixture
def net() -> Net:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net()


@pytest.fixture
def photos(generator: torch.Generator) -> Tensor:
    return torch.randn(3, 3, 5, 7, generator=generator)


def test_an_in_place_relu_changes_nothing(net: Net, photos: Tensor) -> None:
    with undisturbed(net):
        found = capture(net, ["conv", "relu"], photos)
    expected = net.conv(photos)
    assert torch.equal(found["conv"], expected)
    assert torch.equal(found["relu"], expected.relu())


def test_the_model_is_left_as_it_was(net: Net, photos: Tensor) -> None:
    net.train()
    net.relu.eval()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    with undisturbed(net), torch.no_grad():
        capture(net, ["conv"], photos)
    assert {name: m.training for name, m in net.named_modules()} == {
        name: name != "relu" for name, _ in net.named_modules()
    }
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert not any(m._forward_hooks for m in net.modules())
    assert all(p.grad is None and p.requires_grad for p in net.parameters())


def test_hooks_go_when_the_model_fails(net: Net) -> None:
    with pytest.raises(RuntimeError, match="channels"):
        capture(net, ["conv"], torch.zeros(1, 2, 5, 5))
    assert not any(m._forward_hooks for m in net.modules())


@pytest.mark.parametrize(
    ("layer", "message"),
    [("unused", "is never called"), ("twice", "is called more than once")],
)
def test_layers_that_give_no_single_output(
    net: Net, photos: Tensor, layer: str, message: str
) -> None:
    with pytest.raises(LayerError, match=f"layer {layer} {message}"), undisturbed(net):
        capture(net, [layer], photos)


class Outputs(nn.Module):
    def forward(self, x: Tensor) -> dict[str, object]:
        return {"name": "x", "pair": (None, x + 1), "sum": x.sum((1, 2, 3))}


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Outputs()

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.inner(x)["sum"]
        return total


def test_selectors_take_one_of_several_outputs(photos: Tensor) -> None:
    model = Wrapped()
    assert torch.equal(capture(model, ["inner"], photos)["inner"], photos + 1)
    found = capture(model, ["inner"], photos, {"inner": lambda output: output["sum"]})
    assert torch.equal(found["inner"], photos.sum((1, 2, 3)))
    with pytest.raises(LayerError, match="layer inner gives no tensor that can be taken"):
        capture(model, ["inner"], photos, {"inner": lambda output: output["none"]})


class Mixing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(0)


class Broken(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.log() - x.log()


@pytest.mark.parametrize(
    ("module", "message"),
    [(Mixing(), "depends on the other photos"), (Broken(), "NaN or infinite")],
)
def test_features_that_cannot_be_probed(photos: Tensor, module: nn.Module, message: str) -> None:
    with pytest.raises(LayerError, match=f"layer 0 .*{message}"):
        check_features(nn.Sequential(module), ["0"], photos)


def test_names_and_globs_keep_the_models_order(net: Net) -> None:
    assert find_layers(net, ["norm", "r*", "conv"]) == ["conv", "relu", "norm"]
    with pytest.raises(LayerError, match="no module is called 'comv'; there are conv"):
        find_layers(net, ["comv"])


def test_patterns_leave_out_what_only_holds_others() -> None:
    class Holder(nn.ModuleDict):
        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self["a"](x)
            return out

    model = nn.Module()
    model.convs = nn.ModuleList([nn.Conv2d(3, 2, 3)])
    model.called = Holder({"a": nn.ReLU()})
    model.constants = nn.ParameterDict({"c": torch.zeros(1)})
    assert find_layers(model, ["c*"]) == ["convs.0", "called", "called.a"]
    assert find_layers(model, ["convs"]) == ["convs"]  # by its name: capture says what is wrong
    with pytest.raises(LayerError, match=r"no module is called 'const\*'; there are convs.0"):
        find_layers(model, ["const*"])
