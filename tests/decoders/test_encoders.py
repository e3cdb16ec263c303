"""Encoders of every origin: laws, twins, files of classifiers, their layers."""

from pathlib import Path

import pytest
import torch

from preimage.data.checkpoints import CheckpointError
from preimage.decoders.classifier import classifier
from preimage.decoders.encoders import (
    cut,
    described,
    load_classifier,
    open_encoder,
    random_twin,
    save_classifier,
)
from preimage.decoders.options import EncoderOptions, with_input
from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.network.spec import EncoderSpec

CARD = {"classes": ["cold", "warm"], "accuracy": None, "training": {"seed": 0}}
CONV1 = EncoderSpec(layer="conv1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A classifier on Conv2 of width 3 with weights, biases and running statistics of its own."""
    description = with_input(vgg16().cut("conv2").with_width(3), "imagenet")
    model = classifier(description, 2, seed=1)
    generator = torch.Generator().manual_seed(0)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value += 0.1 * torch.rand(value.shape, generator=generator) * (1 + ("var" in name))
    return save_classifier(tmp_path / "encoder.safetensors", model.eval(), CARD)


def test_weights_from_a_law() -> None:
    spec = EncoderSpec(layer="conv2", width=4, slope=0.2)
    options = EncoderOptions(spec=spec, weights="laplace:0.1", seed=3, network_number=2)
    encoder, origin = open_encoder(options)
    assert origin == {"law": "laplace:0.1", "seed": 3, "network": 2, "twin_of": None}
    expected = build(options.description(), "laplace:0.1", seed=3, network_number=2)
    assert encoder.description == expected.description == with_input(spec.encoder(), "imagenet")
    for name, value in expected.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], value)


def test_a_classifier_keeps_its_logits(file: Path) -> None:
    """Batch normalisation is folded in, so the file's classifier has none."""
    model = load_classifier(file)
    again = load_classifier(save_classifier(file.with_name("again.safetensors"), model, CARD))
    pixels = torch.arange(2.0 * 3 * 9 * 8).view(2, 3, 9, 8) % 256
    assert torch.equal(model(pixels), again(pixels))
    assert not any(conv.batch_norm for conv in model.encoder.description.convs)
    naive = model.encoder(pixels).mean((2, 3)) @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(model(pixels), naive)


def test_a_layer_of_a_file(file: Path) -> None:
    encoder, origin = open_encoder(EncoderOptions(spec=CONV1, weights=str(file)))
    assert origin == {"file": "encoder.safetensors", **CARD}
    whole = load_classifier(file).encoder
    assert encoder.description == whole.description.cut("conv1")
    pixels = torch.arange(3.0 * 9 * 8).view(1, 3, 9, 8)
    mean, std = torch.tensor([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]])[..., None, None]
    x = (pixels - mean) / std
    for name in ("conv1_1", "conv1_2"):
        x = torch.conv2d(x, whole.weights[name], whole.biases[name], padding=1).relu()
    torch.testing.assert_close(encoder(pixels), x)


def test_what_does_not_fit_a_file_names_it(file: Path) -> None:
    options = EncoderOptions(spec=EncoderSpec(layer="conv5"), weights=str(file))
    with pytest.raises(CheckpointError, match=r"encoder.safetensors: `layer` must be one of conv1"):
        described(options)


def test_the_twin_differs_in_its_weights_alone(file: Path) -> None:
    options = EncoderOptions(spec=CONV1, weights="gaussian:0.05", twin_of=str(file), seed=4)
    twin, origin = open_encoder(options)
    trained, _ = open_encoder(EncoderOptions(spec=CONV1, weights=str(file)))
    assert origin["twin_of"] == str(file)
    assert twin.description == trained.description
    assert all(torch.count_nonzero(bias) == 0 for bias in twin.biases.values())
    assert all(torch.count_nonzero(bias) > 0 for bias in trained.biases.values())
    expected = random_twin(trained, "gaussian:0.05", seed=4)
    for name in ("conv1_1", "conv1_2"):
        assert torch.equal(twin.weights[name], expected.weights[name])
        found = twin.weights[name].detach()
        assert float(found.std()) == pytest.approx(0.05, rel=4 / (2 * found.numel()) ** 0.5)


def test_a_description_has_the_widths_of_the_file(file: Path) -> None:
    """Or those of the architecture, where no file of ours has others."""
    of_file = EncoderOptions(spec=CONV1, weights=str(file))
    twin = EncoderOptions(spec=CONV1, weights="gaussian:0.1", twin_of=str(file))
    for options in (of_file, twin):
        assert described(options) == open_encoder(options)[0].description
    for weights in ("gaussian:0.1", "imagenet", "other.pth"):
        options = EncoderOptions(spec=CONV1, weights=weights)
        assert described(options) == options.description()


def test_cutting_keeps_the_weights() -> None:
    network = build(vgg16().cut("conv3").with_width(3), seed=2)
    part = cut(network, "conv2", pooled=True)
    assert part.description.operations == network.description.cut("conv2", pooled=True).operations
    assert part.state_dict().keys() == {f"weights.conv{n}" for n in ("1_1", "1_2", "2_1", "2_2")}
    assert all(torch.equal(network.state_dict()[k], v) for k, v in part.state_dict().items())


def test_a_classifier_of_the_version_before(before: Path) -> None:
    """It still loads, and its logits are the numbers that it gave there."""
    model = load_classifier(before / "classifier" / "encoder.safetensors")
    pixels = torch.arange(3.0 * 9 * 8).view(1, 3, 9, 8)
    torch.testing.assert_close(model(pixels), BEFORE_LOGITS, rtol=1e-4, atol=1e-6)


BEFORE_LOGITS = torch.tensor([[-0.00096619979, 0.00096617534]])


@pytest.mark.parametrize(
    ("spec", "words", "message"),
    [
        (CONV1, {"weights": "nothing.pth"}, r"nothing\.pth: no such file"),
        (CONV1, {"weights": "normal:1"}, "must be one of gaussian, uniform, logistic, laplace"),
        (CONV1, {"weights": "imagenet", "twin_of": "x"}, "`twin_of` is for random weights"),
        (EncoderSpec(layer="conv1", width=3), {"weights": "FILE"}, "leave out `width`"),
        (EncoderSpec(layer="conv1", simplified="direct"), {"weights": "FILE"}, "`simplified`"),
        (EncoderSpec(layer="conv5"), {"weights": "FILE"}, "conv5"),
    ],
)
def test_what_does_not_fit_is_said(
    file: Path, spec: EncoderSpec, words: dict[str, str], message: str
) -> None:
    words = {name: value.replace("FILE", str(file)) for name, value in words.items()}
    with pytest.raises(ValueError, match=message):
        open_encoder(EncoderOptions(spec=spec, **words))
