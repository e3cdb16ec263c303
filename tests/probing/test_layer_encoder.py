"""A layer of a module as an encoder: its features, its decoders, their files, what is refused."""

import copy
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from preimage.data.checkpoints import CheckpointError
from preimage.data.memory import open_squares
from preimage.decoders.evaluate import evaluate, mean_image
from preimage.decoders.fit import fit_decoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.loss_curve import read_metrics
from preimage.decoders.options import DataOptions, DecoderOptions, MachineOptions
from preimage.decoders.recipes import DECODER_RECIPES
from preimage.decoders.ridge import fit_least_squares
from preimage.decoders.train import train_decoder
from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.network.encoder import Encoder
from preimage.probing.capture import LayerError
from preimage.probing.layer_encoder import LayerEncoder, layer_encoder
from preimage.probing.preprocessing import RAW, Preprocessing

SMALL = Preprocessing(48, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


def model() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 7, 3, stride=2, padding=1),
        nn.BatchNorm2d(7),
        nn.ReLU(inplace=True),
        nn.Conv2d(7, 5, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 4),
    )


def ramp(count: int, height: int, width: int) -> Tensor:
    values = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(7))
    return 255 * values


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, pixels in enumerate(ramp(10, 6, 5).byte()):
        small = Image.fromarray(pixels.permute(1, 2, 0).numpy())
        small.resize((33, 36), Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return folder


def test_features_are_the_layers_and_the_model_stays_as_it_was() -> None:
    whole = model().train()
    encoder = layer_encoder(whole, "3", SMALL)
    pixels = ramp(2, 31, 22)
    found = encoder(pixels)
    assert whole.training
    assert not any(module._forward_hooks for module in whole.modules())
    with torch.no_grad():
        expected = copy.deepcopy(whole).eval()[:4](SMALL(pixels))
    torch.testing.assert_close(found, expected)
    assert isinstance(encoder, Encoder)
    assert (encoder.name, encoder.out_channels, tuple(encoder.alignment)) == (
        "Sequential 3",
        5,
        (4, 0),
    )
    assert encoder.feature_size((31, 22)) == tuple(found.shape[2:])


def test_it_decodes_as_the_network_of_a_description() -> None:
    """One layer through both roads: the same features, placement and decoder."""
    network = build(vgg16().with_width(4).cut("conv2"), seed=3)
    network.fast = False
    encoder = layer_encoder(network, "conv2_2", RAW)
    assert isinstance(network, Encoder)
    assert encoder.name == f"{network.name} conv2_2"
    assert encoder.alignment == network.alignment
    pixels = ramp(10, 21, 18)
    assert torch.equal(encoder(pixels), network(pixels))
    one, other = (fit_least_squares(e, [pixels], window=1) for e in (encoder, network))
    assert torch.equal(one.weight, other.weight)


def test_a_fitted_decoder_and_its_file(photos: Path, tmp_path: Path) -> None:
    encoder = layer_encoder(model(), "4", SMALL)
    path = tmp_path / "d.safetensors"
    found = fit_decoder(encoder, str(photos), path, size=32, window=1, device="cpu")
    again = Inverter.load(path, layer_encoder(model(), "4", SMALL))
    pixels = ramp(4, 29, 32)
    assert torch.equal(again(pixels), found(pixels))
    assert again.encoder_card()["layer"]["alignment"] == [4, 0]
    seen = open_squares(str(photos), 32).pixels
    scores = evaluate(again, seen, mean_image(seen))
    assert scores["decoder"].mse.mean() < scores["mean image"].mse.mean()
    same = LayerEncoder.from_dict(model(), encoder.to_dict(), "mine", {})
    assert same.form == encoder.form
    assert torch.equal(same(pixels), encoder(pixels))


def test_a_file_wants_its_own_encoder(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    fit_decoder(layer_encoder(model(), "3", SMALL), str(photos), path, size=32, window=1)
    with pytest.raises(CheckpointError, match=r"decodes layer 3 of Sequential, which is not in"):
        Inverter.load(path)
    with pytest.raises(CheckpointError, match=r"another layer .*layer: 3 there, 4 here"):
        Inverter.load(path, layer_encoder(model(), "4", SMALL))
    with pytest.raises(CheckpointError, match=r"preprocessing: .*another|another .*preprocessing"):
        Inverter.load(path, layer_encoder(model(), "3", RAW))
    trained = model()
    with torch.no_grad():
        trained[3].weight += 1
    with pytest.raises(CheckpointError, match="layer 3 of Sequential with weights whose SHA-256"):
        Inverter.load(path, layer_encoder(trained, "3", SMALL))


def test_a_trained_decoder(photos: Path, tmp_path: Path) -> None:
    """The loss falls; the run resumes; its file comes back."""
    recipe = DECODER_RECIPES["quick"].changed(
        steps=12, batch_size=4, crop=16, precision="fp32", learning_rate=2e-3
    )
    options = (DecoderOptions(unpool="nearest"), DataOptions(data=str(photos)), recipe, tmp_path)
    machine = MachineOptions(device="cpu", workers=0, max_minutes=1e-9)
    assert train_decoder(layer_encoder(model(), "0", SMALL), *options, machine) is None
    machine = MachineOptions(device="cpu", workers=0)
    inverter = train_decoder(layer_encoder(model(), "0", SMALL), *options, machine)
    assert inverter is not None
    losses = [line["loss"] for line in read_metrics(tmp_path / "metrics.jsonl")]
    assert len(losses) == 12
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])
    again = Inverter.load(tmp_path / "decoder.safetensors", layer_encoder(model(), "0", SMALL))
    pixels = ramp(2, 27, 30)
    assert torch.equal(again(pixels), inverter(pixels))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("7", "gives vectors, whose place on the photo nothing tells; preimage.probe decodes"),
        ("[34]", "names 2 modules; name one of them"),
        ("none", "no module is called 'none'"),
    ],
)
def test_layers_that_are_no_encoders(layer: str, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        layer_encoder(model(), layer, SMALL)


def test_a_model_that_takes_one_size_only() -> None:
    fixed = nn.Sequential(nn.Conv2d(3, 4, 2, stride=2), nn.Flatten(2), nn.Linear(24 * 24, 24 * 24))
    encoder = layer_encoder(fixed, "2", SMALL)
    with pytest.raises(ValueError, match=r"2 takes no photos of 30×30 pixels \(.*size is 48×48"):
        encoder.feature_size((30, 30))


def test_a_function_has_no_alignment() -> None:
    with pytest.raises(ValueError, match=r"`alignment`: where the features lie .*layer_encoder"):
        fit_least_squares(lambda x: x, [ramp(4, 9, 8)])
