"""An encoder with its decoder: files that come back, what is refused, the loss."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
import torch
from torch import Tensor

from preimage.data.checkpoints import Checkpoint, CheckpointError, read_checkpoint, write_checkpoint
from preimage.decoders import inverter as inverter_module
from preimage.decoders import least_squares, ridge
from preimage.decoders.inverter import Inversion, Inverter, measure_scale
from preimage.decoders.ridge import fit_least_squares
from preimage.network import build as build_module
from preimage.network.architectures import vgg16
from preimage.network.build import Network, build
from preimage.network.trace import input_sizes

ENCODER = vgg16().cut("conv2").with_width(3)
LAW = {"law": "gaussian:fan-in", "seed": 4, "network": 1, "twin_of": None}


def pixels(count: int = 2) -> Tensor:
    """The ramp that the numbers of the version before belong to, and others beside it."""
    return torch.arange(count * 3.0 * 9 * 8).view(count, 3, 9, 8)


@pytest.fixture
def inverter() -> Inverter:
    encoder = build(ENCODER, "gaussian:fan-in", seed=4, network_number=1)
    return Inverter(encoder, LAW, build(ENCODER.mirror(), seed=7), 0.25, {"note": "a test"})


@pytest.mark.parametrize("origin", [LAW, {"file": "elsewhere.safetensors"}])
def test_a_file_gives_the_same_bits(
    inverter: Inverter, origin: dict[str, object], tmp_path: Path
) -> None:
    inverter.origin = origin
    path = inverter.save(tmp_path / "d.safetensors")
    again = Inverter.load(path)
    assert torch.equal(again(pixels()), inverter(pixels()))
    assert (again.origin, again.scale, again.card) == (origin, 0.25, {"note": "a test"})
    kept = {name.split(".")[0] for name in read_checkpoint(path, "decoder").tensors}
    assert kept == ({"decoder"} if origin is LAW else {"decoder", "encoder"})


def test_decoding_is_the_decoder_of_scaled_features(inverter: Inverter) -> None:
    features = inverter.encoder(pixels())
    expected = inverter.decoder(features / 0.25, input_sizes(ENCODER, 9, 8))
    torch.testing.assert_close(inverter(pixels()), expected)
    torch.testing.assert_close(inverter.decode(inverter.features(pixels()), (9, 8)), expected)


@pytest.mark.parametrize(
    ("file", "pixel", "mean"),
    [
        ("whole/decoder.safetensors", (111.7336, 144.7738, 108.9345), 119.0047),
        ("fitted.safetensors", (128.2745, 82.3334, 128.0927), 114.4702),
    ],
)
def test_files_of_the_version_before(
    file: str, pixel: tuple[float, ...], mean: float, before: Path
) -> None:
    """A trained DCN and a least-squares decoder: the numbers that they gave there."""
    output = Inverter.load(before / file)(pixels(1))
    assert output[0, :, 4, 3].tolist() == pytest.approx(pixel, rel=1e-4)
    assert float(output.mean()) == pytest.approx(mean, rel=1e-4)


def test_features_of_another_size_are_refused(inverter: Inverter) -> None:
    with pytest.raises(ValueError, match=r"9×8 pixels are \(N, 3, 5, 4\), got \(1, 3, 4, 4\)"):
        inverter.decode(torch.zeros(1, 3, 4, 4), (9, 8))


def test_an_encoder_that_is_drawn_otherwise_is_refused(inverter: Inverter, tmp_path: Path) -> None:
    path = inverter.save(tmp_path / "d.safetensors")
    found = read_checkpoint(path, "decoder")
    found.card["encoder"]["origin"]["seed"] = 5
    write_checkpoint(path, Checkpoint("decoder", found.card, found.tensors))
    with pytest.raises(CheckpointError, match="draws other weights"):
        Inverter.load(path)


def test_the_scale_is_the_root_mean_square(inverter: Inverter) -> None:
    photos = pixels().clamp(0, 255).byte()
    features = inverter.encoder(photos.float()).detach().double()
    assert measure_scale(inverter.encoder, photos) == pytest.approx(
        float((features**2).mean().sqrt()), rel=1e-6
    )


def test_the_loss_is_equation_1(inverter: Inverter) -> None:
    """Σ (x̂ − x)² over photos, channels and pixels; no gradient reaches the encoder."""
    photos = pixels().clamp(0, 255).byte()
    objective = Inversion(inverter.encoder, inverter.decoder, inverter.scale)
    loss = objective(photos, None)
    naive = (inverter(photos.float()) - photos.float()).square().sum()
    assert float(loss.detach()) == pytest.approx(float(naive), rel=1e-6)
    loss.backward()
    assert all(parameter.grad is None for parameter in inverter.encoder.parameters())
    assert all(parameter.grad is not None for parameter in inverter.decoder.parameters())


def test_what_a_gpu_computes_in_full_precision(
    inverter: Inverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks that are not in training, fits, least-squares decoders, any module's features."""
    entered: list[str] = []

    def recorder(name: str) -> Callable[[torch.device], AbstractContextManager[None]]:
        return lambda device: nullcontext(entered.append(name))

    for module in (build_module, inverter_module, least_squares, ridge):
        monkeypatch.setattr(module, "full_precision", recorder(module.__name__.split(".")[-1]))

    def seen(act: Callable[[], object]) -> set[str]:
        entered.clear()
        act()
        return set(entered)

    net = inverter.encoder
    assert isinstance(net, Network)
    assert seen(lambda: net.eval()(pixels())) == {"build"}
    assert seen(lambda: net.train()(pixels())) == set()
    net.eval()
    assert seen(lambda: inverter.features(pixels())) == {"build", "inverter"}
    decoder = build(ENCODER.mirror()).train()
    assert seen(lambda: Inversion(net, decoder, 1.0)(pixels().byte(), None)) == {
        "build",
        "inverter",
    }
    found = []
    assert seen(lambda: found.append(fit_least_squares(net, [pixels(4)], window=1))) == {
        "build",
        "ridge",
    }
    assert seen(lambda: found[0](net(pixels()), (9, 8))) == {"build", "least_squares"}
