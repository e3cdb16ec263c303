"""Models by name: the paper's own, a function in a file, other libraries' where they are there."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from zoo import need

from preimage import build, vgg16
from preimage.decoders.classifier import classifier
from preimage.decoders.encoders import save_classifier
from preimage.probing.given_model import ModelError
from preimage.probing.models import load_weights, open_model
from preimage.probing.preprocessing import RAW, Preprocessing

FILE = """
import torch
from preimage.probing import Preprocessing

preprocessing = Preprocessing(32, (0.5,) * 3, (0.25,) * 3)


def make():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())


def wrong():
    return 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_the_papers_networks_are_drawn_anew_from_torchs_generator() -> None:
    opened = open_model("alexnet")
    assert opened.preprocessing == RAW
    assert opened.make is not None
    with torch.random.fork_rng():
        torch.manual_seed(0)
        one = opened.make()
        torch.manual_seed(0)
        same = opened.make()
        other = opened.make()
    first, second, third = (next(m.parameters()) for m in (one, same, other))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_a_function_in_a_file(file: Path) -> None:
    opened = open_model(f"{file}:make")
    assert isinstance(opened.model, nn.Sequential)
    assert opened.preprocessing is not None
    assert opened.preprocessing.size == 32
    assert opened.make is not None
    assert isinstance(opened.make()[0], nn.Conv2d)  # type: ignore[index]


def test_weights_are_loaded_and_must_fit(file: Path, tmp_path: Path) -> None:
    weights: dict[str, Tensor] = {"0.weight": torch.ones(4, 3, 3, 3), "0.bias": torch.zeros(4)}
    save_file(weights, tmp_path / "w.safetensors")
    opened = open_model(f"{file}:make", str(tmp_path / "w.safetensors"))
    assert torch.equal(opened.model.state_dict()["0.weight"], weights["0.weight"])
    del weights["0.bias"]
    save_file({**weights, "1.bias": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"1 tensors missing \(0.bias, …\), 1 tensors unknown"):
        load_weights(opened.model, str(tmp_path / "other.safetensors"))
    with pytest.raises(ModelError, match="no such file"):
        load_weights(opened.model, str(tmp_path / "none.safetensors"))


@pytest.fixture
def network(tmp_path: Path) -> str:
    path = tmp_path / "network.py"
    path.write_text(
        """
from preimage import build, vgg16
from preimage.probing import Preprocessing

preprocessing = Preprocessing(32, (0.5,) * 3, (0.25,) * 3)


def make():
    return build(vgg16().cut("conv1").with_width(2), seed=3)


def another():
    return build(vgg16().cut("conv1").with_width(2).with_activation(0.5))
"""
    )
    return f"{path}:make"


def test_a_network_in_a_file_takes_weights_of_its_own_names(network: str, tmp_path: Path) -> None:
    trained = build(vgg16().cut("conv1").with_width(2), seed=4)
    torch.save(trained.state_dict(), tmp_path / "w.pth")
    opened = open_model(network, str(tmp_path / "w.pth"))
    pixels = torch.arange(2.0 * 3 * 9 * 8).view(2, 3, 9, 8)
    assert torch.equal(opened.model(pixels), trained(pixels))
    assert [name for name, _ in opened.model.named_children()] == ["conv1_1", "conv1_2"]
    assert opened.preprocessing == Preprocessing(32, (0.5,) * 3, (0.25,) * 3)
    drawn = open_model(network, "gaussian:0.5").model.state_dict()["conv1_1.weights.conv1_1"]
    assert abs(float(drawn.std()) - 0.5) < 4 * 0.5 / (2 * drawn.numel()) ** 0.5


def test_a_network_in_a_file_takes_a_classifiers_encoder(network: str, tmp_path: Path) -> None:
    model = classifier(vgg16().cut("conv1").with_width(2), 2, seed=1).eval()
    card = {"classes": ["cold", "warm"], "accuracy": None, "training": {}}
    path = str(save_classifier(tmp_path / "encoder.safetensors", model, card))
    pixels = torch.arange(2.0 * 3 * 9 * 8).view(2, 3, 9, 8)
    torch.testing.assert_close(open_model(network, path).model(pixels), model.encoder(pixels))
    with pytest.raises(ModelError, match=r"of another network: it has Conv\(name='conv1_1'"):
        open_model(network.replace("make", "another"), path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet5000", "'resnet5000' is not known; name torchvision:NAME"),
        ("{file}:none", "has no function 'none'"),
        ("{file}:wrong", "returns int, not a torch.nn.Module"),
        ("nowhere.py:make", "nowhere.py: no such file"),
    ],
)
def test_bad_names(file: Path, name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        open_model(name.format(file=file))


def test_timm(generator: torch.Generator) -> None:
    need("timm")
    from preimage.probing.targets import find_targets

    opened = open_model("timm:convnext_atto")
    assert opened.preprocessing is not None
    assert opened.preprocessing.source == "timm pretrained_cfg"
    photos = 255 * torch.rand(2, 3, 64, 64, generator=generator)
    targets = find_targets(opened.model, "auto", opened.preprocessing, photos)
    assert [target.stride for target in targets] == [4, 8, 16, 32]
    with pytest.raises(ModelError, match="timm has no model 'convnext_none'"):
        open_model("timm:convnext_none")
