"""Layers by name, and decoders' files whose encoder has a name."""

from pathlib import Path

import pytest
import torch

from preimage.data.checkpoints import CheckpointError
from preimage.decoders.fit import fit_decoder
from preimage.decoders.options import EncoderOptions
from preimage.network.architectures import alexnet
from preimage.network.build import build
from preimage.network.spec import EncoderSpec
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
