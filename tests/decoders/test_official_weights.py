"""Torchvision's file from a server on this machine: whole, wrong, broken off, absent."""

import hashlib
import io
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision_files import state, torchvision_features, torchvision_layers

from preimage.decoders import official_weights as weights
from preimage.decoders.official_weights import WeightsError, official_file
from preimage.decoders.pretrained import pretrained_encoder


@pytest.fixture(scope="module")
def alexnet() -> nn.Sequential:
    return torchvision_layers("torchvision_alexnet")


@pytest.fixture(scope="module")
def alexnet_bytes(alexnet: nn.Sequential) -> bytes:
    stream = io.BytesIO()
    torch.save(state(alexnet), stream)
    return stream.getvalue()


class Server(HTTPServer):
    """What it serves at which path, how much of it, and how often it was asked."""

    files: dict[str, bytes]
    cut_after: int | None = None
    silent_after: int | None = None
    asked = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.given_up = threading.Event()  # ends a silence


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
        if self.server.silent_after is not None:
            self.wfile.write(data[: self.server.silent_after])
            self.server.given_up.wait(60)
        else:
            self.wfile.write(data[: self.server.cut_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(
    alexnet_bytes: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Torchvision's AlexNet on this machine, and an empty cache of torch."""
    name = f"/models/alexnet-owt-{hashlib.sha256(alexnet_bytes).hexdigest()[:8]}.pth"
    server = Server()
    server.files = {name: alexnet_bytes}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}{name}"
    monkeypatch.setitem(weights.ADDRESSES, "torchvision_alexnet", address)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.given_up.set()
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
    with pytest.raises(WeightsError, match=r"wrong checksum: .* nothing was kept"):
        official_file("torchvision_alexnet")
    assert cached() == []


def assert_says_what_to_do(message: str, reason: str) -> None:
    address = weights.ADDRESSES["torchvision_alexnet"]
    name = address.rpartition("/")[2]
    target = Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints" / name
    for words in (name, address, str(target), "as `weights`", "gaussian:fan-in", reason):
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
    assert_says_what_to_do(str(caught.value), "wrong checksum: the connection broke")


def test_a_server_that_falls_silent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_TIMEOUT", 0.2)
    server.silent_after = 1000
    with pytest.raises(WeightsError) as caught:
        official_file("torchvision_alexnet")
    assert_says_what_to_do(str(caught.value), "timed out")
    assert socket.getdefaulttimeout() is None


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
        WeightsError, match="no weights for alexnet; set `architecture` to vgg16 or torch"
    ):
        pretrained_encoder("imagenet", "alexnet", "conv1")
    assert {name: address.rpartition("/")[2] for name, address in weights.ADDRESSES.items()} == {
        "vgg16": "vgg16-397923af.pth",
        "torchvision_alexnet": "alexnet-owt-7be5be79.pth",
    }
