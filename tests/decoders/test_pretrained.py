import hashlib
import io
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from preimage.decoders import pretrained as weights
from preimage.decoders.pretrained import (
    WeightsError,
    from_torchvision,
    official_file,
    pretrained_description,
    pretrained_encoder,
    read_tensors,
)
from preimage.network.build import Network

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def torchvision_layers(architecture: str, width: float = 1.0) -> nn.Sequential:
    """The layers as torchvision builds them, floor mode and all, written from its source."""
    layers: list[nn.Module] = []
    channels = 3

    def conv(out: int, *sizes: int) -> None:
        nonlocal channels
        out = round(out * width)
        layers.extend([nn.Conv2d(channels, out, *sizes), nn.ReLU()])  # type: ignore[arg-type]
        channels = out

    if architecture == "vgg16":
        for out, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
            for _ in range(count):
                conv(out, 3, 1, 1)
            layers.append(nn.MaxPool2d(2, 2))
    else:
        conv(64, 11, 4, 2)
        layers.append(nn.MaxPool2d(3, 2))
        conv(192, 5, 1, 2)
        layers.append(nn.MaxPool2d(3, 2))
        for out in (384, 256, 256):
            conv(out, 3, 1, 1)
        layers.append(nn.MaxPool2d(3, 2))
    torch.manual_seed(0)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.normal_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers)


def state(layers: nn.Sequential) -> dict[str, Tensor]:
    """A file's content: the convolutions, and a classifier that nobody needs."""
    features = {f"features.{name}": value for name, value in layers.state_dict().items()}
    return {**features, "classifier.6.weight": torch.zeros(10, 4)}


def torchvision_features(layers: nn.Sequential, pixels: Tensor, end: int) -> Tensor:
    x = pixels / 255
    x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    return layers[:end](x)


@pytest.fixture(scope="module")
def alexnet() -> nn.Sequential:
    return torchvision_layers("torchvision_alexnet")


@pytest.fixture(scope="module")
def alexnet_bytes(alexnet: nn.Sequential) -> bytes:
    stream = io.BytesIO()
    torch.save(state(alexnet), stream)
    return stream.getvalue()


@pytest.mark.parametrize("kind", [".pth", ".safetensors", "old .pth"])
def test_a_local_file_gives_torchvisions_features(
    alexnet: nn.Sequential, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"weights{kind.split()[-1]}"
    if kind == ".safetensors":
        save_file(state(alexnet), path)
    else:
        torch.save(state(alexnet), path, _use_new_zipfile_serialization=kind == ".pth")
    encoder, origin = pretrained_encoder(str(path), "torchvision_alexnet", "conv3")
    pixels = torch.rand(2, 3, 97, 131) * 255
    with torch.no_grad():
        torch.testing.assert_close(
            encoder(pixels), torchvision_features(alexnet, pixels, 8), rtol=1e-4, atol=1e-3
        )
    assert [conv.name for conv in encoder.description.convs] == ["conv1", "conv2", "conv3"]
    assert not encoder.training
    assert origin == {
        "weights": path.name,
        "layout": "torchvision",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


@pytest.mark.parametrize(("size", "equal"), [(64, True), (67, False)])
def test_vgg16_is_torchvisions_where_sizes_are_even(size: int, equal: bool) -> None:
    layers = torchvision_layers("vgg16", 1 / 16)
    description = pretrained_description("vgg16").scale_width(1 / 16)
    network = Network(description.cut("conv5"))
    network.load_state_dict(from_torchvision(description, state(layers), "here"))
    pixels = torch.rand(1, 3, size, size) * 255
    with torch.no_grad():
        ours, theirs = network(pixels), torchvision_features(layers, pixels, 30)
    assert ours.shape[-1] == (4 if equal else 5)
    assert theirs.shape[-1] == 4
    if equal:
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


def test_encoder_and_mirror_take_pixels_and_give_pixels() -> None:
    description = pretrained_description("vgg16").cut("conv2")
    first, last = description.operations[0], description.mirror().operations[-2]
    np.testing.assert_allclose(first.mean, np.array(MEAN) * 255)  # type: ignore[union-attr]
    np.testing.assert_allclose(first.std, np.array(STD) * 255)  # type: ignore[union-attr]
    assert last.name == "denormalise"
    assert all(conv.bias and conv.slope == 0 for conv in description.convs)


class Payload:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("owned",)


def test_damaged_files_and_code_get_one_line(
    alexnet_bytes: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    old = io.BytesIO()
    torch.save({"features.0.weight": torch.ones(9)}, old, _use_new_zipfile_serialization=False)
    code = io.BytesIO()
    torch.save({"features.0.weight": Payload()}, code)
    tensors = io.BytesIO()
    torch.save([torch.ones(3)], tensors)
    files = {
        "cut.pth": (alexnet_bytes[:-1000], "damaged or truncated"),
        "cut_early.pth": (alexnet_bytes[:100], "can't be read"),
        "empty.pth": (b"", "can't be read"),
        "old.pth": (old.getvalue()[:-20], "can't be read"),
        "text.pth": (b"no tensors here", "can't be read"),
        "code.pth": (code.getvalue(), "preimage runs no code from a file"),
        "list.pth": (tensors.getvalue(), "not tensors by name"),
        "cut.safetensors": (b"\x08\0\0\0\0\0\0\0{}", "can't be read"),
    }
    for name, (data, words) in files.items():
        Path(name).write_bytes(data)
        with pytest.raises(WeightsError, match=words) as caught:
            read_tensors(Path(name))
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not Path("owned").exists()
    with pytest.raises(WeightsError, match=r"nowhere\.pth: no such file; --weights takes"):
        pretrained_encoder("nowhere.pth", "vgg16", "conv1")


def test_other_networks_are_refused(alexnet: nn.Sequential) -> None:
    description = pretrained_description("torchvision_alexnet")
    whole = state(alexnet)
    changes: dict[str, tuple[dict[str, Tensor], str]] = {
        "fewer": (
            {k: v for k, v in whole.items() if ".10." not in k},
            "4 layers .* 5 convolutions",
        ),
        "none": ({"classifier.0.weight": torch.ones(1)}, "0 layers called features"),
        "bias": (
            {k: v for k, v in whole.items() if k != "features.3.bias"},
            r"features\.3\.bias is",
        ),
        "norm": ({**whole, "features.1.running_mean": torch.ones(64)}, "batch normalisation"),
        "shape": (
            {**whole, "features.3.weight": torch.ones(192, 64, 3, 3)},
            r"features\.3\.weight has the shape \(192, 64, 3, 3\), but conv2 .* \(192, 64, 5, 5\)",
        ),
    }
    for tensors, words in changes.values():
        with pytest.raises(WeightsError, match=f"the file: .*{words}"):
            from_torchvision(description, tensors, "the file")
    with pytest.raises(WeightsError, match=r"conv1 of alexnet takes \(96, 3, 11, 11\)"):
        from_torchvision(pretrained_description("alexnet"), whole, "the file")


# --- download -----------------------------------------------------------------------------------


class Server(HTTPServer):
    """What it serves at which path, how much of it, and how often it was asked."""

    files: dict[str, bytes]
    cut_after: int | None = None
    asked = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: self.server.cut_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(
    alexnet_bytes: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Torchvision's AlexNet on this machine, and an empty cache of torch."""
    name = f"/models/alexnet-owt-{hashlib.sha256(alexnet_bytes).hexdigest()[:8]}.pth"
    server = Server(("127.0.0.1", 0), Handler)
    server.files = {name: alexnet_bytes}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}{name}"
    monkeypatch.setitem(weights.ADDRESSES, "torchvision_alexnet", address)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def cached() -> list[Path]:
    folder = Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints"
    return sorted(folder.iterdir()) if folder.exists() else []


def test_the_official_file_is_downloaded_once(alexnet: nn.Sequential, server: Server) -> None:
    for _ in range(2):
        encoder, origin = pretrained_encoder(
            "imagenet", "torchvision_alexnet", "conv1", pooled=True
        )
        assert server.asked == 1
    (path,) = cached()
    assert path.name == Path(weights.ADDRESSES["torchvision_alexnet"]).name
    assert origin["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert origin["url"] == weights.ADDRESSES["torchvision_alexnet"]
    pixels = torch.rand(1, 3, 63, 70) * 255
    with torch.no_grad():
        expected = F.max_pool2d(torchvision_features(alexnet, pixels, 2), 3, 2)
        torch.testing.assert_close(encoder(pixels), expected, rtol=1e-4, atol=1e-3)


def test_a_wrong_file_in_the_cache_is_found_at_every_load(server: Server) -> None:
    path, sha256 = official_file("torchvision_alexnet")
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    other = hashlib.sha256(data).hexdigest()[:8]
    with pytest.raises(
        WeightsError, match=f"begins with {other}, where {sha256[:8]}.*delete {path}"
    ):
        pretrained_encoder("imagenet", "torchvision_alexnet", "conv1")


def test_a_wrong_file_on_the_server_is_not_kept(server: Server) -> None:
    (name,) = server.files
    server.files = {name: b"something else"}
    with pytest.raises(WeightsError, match=r"SHA-256 begins with .* nothing was kept"):
        official_file("torchvision_alexnet")
    assert cached() == []


def assert_says_what_to_do(message: str, reason: str) -> None:
    address = weights.ADDRESSES["torchvision_alexnet"]
    name = address.rpartition("/")[2]
    target = Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints" / name
    for words in (name, address, str(target), "--weights FILE", "gaussian:fan-in", reason):
        assert words in message
    assert "\n" not in message
    assert cached() == []


def test_no_such_file_on_the_server(server: Server) -> None:
    server.files = {}
    with pytest.raises(WeightsError) as caught:
        official_file("torchvision_alexnet")
    assert_says_what_to_do(str(caught.value), "404")


def test_a_broken_connection_leaves_nothing(server: Server) -> None:
    server.cut_after = 3_000_000
    with pytest.raises(WeightsError) as caught:
        official_file("torchvision_alexnet")
    assert_says_what_to_do(str(caught.value), "broke after 3,000,000 of")


def test_no_network(server: Server) -> None:
    server.shutdown()
    server.server_close()
    with socket.socket() as nobody:  # keeps the port, and does not listen
        nobody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        nobody.bind(("127.0.0.1", server.server_port))
        with pytest.raises(WeightsError) as caught:
            official_file("torchvision_alexnet")
    assert_says_what_to_do(str(caught.value), "refused")


def test_architectures_without_official_weights() -> None:
    with pytest.raises(
        WeightsError, match=r"no weights for alexnet; choose .* torchvision_alexnet"
    ):
        pretrained_encoder("imagenet", "alexnet", "conv1")
    assert {name: address.rpartition("/")[2] for name, address in weights.ADDRESSES.items()} == {
        "vgg16": "vgg16-397923af.pth",
        "torchvision_alexnet": "alexnet-owt-7be5be79.pth",
    }
