"""Models by name: the paper's own, a function in a file, other libraries' where they are there."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from zoo import need

from preimage import build, vgg16
from preimage.probing.models import ModelError, load_weights, open_model, staged
from preimage.probing.preprocessing import RAW

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


def test_a_description_becomes_a_chain_of_its_operations(generator: torch.Generator) -> None:
    encoder = build(vgg16().with_width(4).cut("conv3"), seed=3)
    encoder.fast = False
    photos = 255 * torch.rand(2, 3, 21, 30, generator=generator)
    chain = staged(encoder)
    with torch.no_grad():
        assert torch.equal(chain(photos), encoder(photos))
    assert [name for name, _ in chain.named_children()][:3] == ["conv1_1", "conv1_2", "pool1"]


def test_the_papers_networks_are_drawn_anew_from_torchs_generator() -> None:
    opened = open_model("alexnet")
    assert opened.preprocessing == RAW
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
