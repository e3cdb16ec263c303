"""Layers by name, and decoders' files whose encoder has a name."""

from pathlib import Path
from typing import Any

import pytest
import torch

from preimage.data.checkpoints import CheckpointError
from preimage.decoders.fit import fit_decoder
from preimage.decoders.options import EncoderOptions
from preimage.network.architectures import alexnet
from preimage.network.build import build
from preimage.network.spec import EncoderSpec
from preimage.probing import open_layer as open_layer_module
from preimage.probing.given_model import ModelError, OpenModel
from preimage.probing.layer_encoder import layer_encoder
from preimage.probing.open_layer import open_inverter, open_layer
from preimage.probing.preprocessing import RAW


def test_a_layer_of_the_papers_network_is_that_of_its_description() -> None:
    encoder = open_layer("alexnet", "conv2", "gaussian:0.1", seed=4, size=80)
    network = build(alexnet().cut("conv2"), "gaussian:0.1", seed=4)
    network.fast = False
    photos = 255 * torch.rand(2, 3, 83, 90, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(encoder(photos), network(photos))
    assert encoder.alignment == network.alignment
    assert encoder.origin["weights"] == "gaussian:0.1"


def test_a_decoder_of_a_description_needs_no_name(tmp_path: Path) -> None:
    options = EncoderOptions(spec=EncoderSpec(layer="conv1", width=2))
    photos = 255 * torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "d.safetensors"
    fitted = fit_decoder(options, photos, path, size=12, window=1, device="cpu")
    assert torch.equal(open_inverter(path)(photos), fitted(photos))
    with pytest.raises(CheckpointError, match="has its own encoder; leave out `weights`"):
        open_inverter(path, "w.pth")


def test_a_model_without_a_name_cant_be_opened(tmp_path: Path) -> None:
    encoder = layer_encoder(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 2, stride=2)), "0", RAW)
    photos = 255 * torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "d.safetensors"
    fit_decoder(encoder, photos, path, size=12, window=1, device="cpu")
    with pytest.raises(CheckpointError, match=r"its encoder is a layer of Sequential: .*not known"):
        open_inverter(path)


@pytest.mark.parametrize(
    ("name", "weights", "what"),
    [
        ("torchvision:resnet18", "pretrained", "has weights that would be fetched"),
        ("timm:vit_tiny", "imagenet", "has weights that would be fetched"),
        ("vgg16", "imagenet", "has weights that would be fetched"),
        ("hf:owner/name", None, "would be fetched"),
        ("net.py:make", None, "is code that would be run"),
    ],
)
def test_a_file_alone_neither_runs_code_nor_asks_the_network(
    name: str, weights: str | None, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before the model is opened; named by the caller too, it is."""
    path = of_a_layer(tmp_path, name, {"weights": weights})

    def opened(*given: object, **seed: int) -> OpenModel:
        raise ModelError(f"asked for {given}")

    monkeypatch.setattr(open_layer_module, "open_model", opened)
    with pytest.raises(CheckpointError, match=f"which {what}; if you trust it, give `model`"):
        open_inverter(path)
    with pytest.raises(CheckpointError, match=r"asked for .*'w\.pth'"):
        open_inverter(path, "w.pth", name)
    if weights:  # a file in their place: nothing is fetched
        with pytest.raises(CheckpointError, match=r"asked for .*'w\.pth'"):
            open_inverter(path, "w.pth")


def of_a_layer(folder: Path, name: str, origin: dict[str, Any]) -> Path:
    """A decoder's file whose encoder is a layer of the model of this name."""
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 2, stride=2))
    encoder = layer_encoder(model, "0", RAW, name=name, origin=origin)
    photos = 255 * torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    path = folder / "d.safetensors"
    fit_decoder(encoder, photos, path, size=12, window=1, device="cpu")
    return path
