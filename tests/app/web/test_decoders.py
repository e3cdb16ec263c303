"""Decoder files that are dropped on the page: opened from memory, or refused in words."""

import io
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command import run
from photo_files import encoded
from PIL import Image
from starlette.testclient import TestClient

from preimage.app.web import decoders as module
from preimage.app.web.decoders import DecoderStore
from preimage.data.checkpoints import (
    Checkpoint,
    CheckpointError,
    FileBytes,
    read_checkpoint,
    write_checkpoint,
)

CPU = torch.device("cpu")


def store(most: int = 10**6, *files: str) -> DecoderStore:
    return DecoderStore(files, (), CPU, most)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos and a decoder that was fitted to them."""
    made = tmp_path_factory.mktemp("decoders")
    for seed in range(5):
        (made / f"{seed}.png").write_bytes(encoded(seed, width=20, height=18))
    words = ["--layer", "conv1", "--width", "3", "--size", "16", "--window", "1"]
    out = str(made / "d.safetensors")
    assert run("fit", "--data", f"{made}/*.png", *words, "--out", out) == 0
    return made


@pytest.fixture
def file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder / "d.safetensors"


def test_one_from_memory_is_the_one_on_disk(file: Path) -> None:
    made = store(10**6, str(file))
    made.add("x/mine.safetensors", file.read_bytes())
    on_disk, dropped = made.all()
    assert (on_disk.file, dropped.file) == (str(file), "mine.safetensors")
    pixels = torch.rand(1, 3, 19, 22) * 255
    assert torch.equal(on_disk.inverter(pixels), dropped.inverter(pixels))
    assert made.get(dropped.id) is dropped


def test_damaged_ones_are_refused(file: Path) -> None:
    data = file.read_bytes()
    wrong = {
        "empty": b"",
        "text": b"no decoder" * 9,
        "cut": data[:-9],
        "flipped": data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        "long header": (2**40).to_bytes(8, "little") + data[8:],
    }
    for name, each in wrong.items():
        with pytest.raises(CheckpointError, match=f"{name}: "):
            store().add(name, each)


def test_no_room_and_other_kinds(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its weights take 0 MB, and an uploaded one at most 0 MB"):
        store(most=10).add("d", file.read_bytes())
    other = write_checkpoint(tmp_path / "o", Checkpoint("other", {}, {"a": torch.ones(2)}))
    with pytest.raises(CheckpointError, match="holds a other, expected a decoder"):
        store().add("o", other.read_bytes())
    with pytest.raises(ValueError, match="`decoder` is not here"):
        store().get("nowhere")


def test_a_layer_of_a_model_is_not_opened(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = {"model": "evil.py:run", "layer": "0"}
    card = {"encoder": {"layer": {"name": "0"}, "origin": origin, "sha256": ""}}
    monkeypatch.setattr(module, "open_card", lambda *_: card)
    with pytest.raises(ValueError, match=r"layer of evil\.py:run, which is not in the file"):
        store().add("d", file.read_bytes())


def test_a_checkpoint_in_memory_is_read_like_one_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    write_checkpoint(path, Checkpoint("some", {"é": 1}, {"a.b": torch.arange(6.0).view(2, 3)}))
    here, there = (read_checkpoint(s, "some") for s in (FileBytes("c", path.read_bytes()), path))
    assert here.card == there.card
    assert torch.equal(here.tensors["a.b"], there.tensors["a.b"])


MODEL = """
import torch
def make():
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 4, 4))
"""


def test_a_layer_of_a_model_named_on_the_command_line(
    file: Path, make_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("preimage.app.cli.decode.save_figure", lambda figure, path: path)
    monkeypatch.setattr("preimage.app.cli.decode.decoded_sheet", lambda pairs, title: None)
    Path("m.py").write_text(MODEL)
    words = ["--model", "m.py:make", "--layer", "0", "--raw", "--size", "16", "--window", "1"]
    assert run("fit", "--data", "*.png", *words, "--out", "layer.safetensors") == 0
    with pytest.raises(CheckpointError, match="if you trust it, give `model`"):
        store(10**6, "layer.safetensors")
    made = DecoderStore(("layer.safetensors",), ("m.py:make",), CPU, 10**6)
    client = make_client(decoders=made)
    answer = client.get("/api/picture?photo=rocket&decoder=file-0&size=24").json()
    assert answer["network"] is None
    assert "layer.safetensors" in client.get("/").text
    exec(compile(answer["python"], "page", "exec"), {})
    assert run(*shlex.split(answer["command"])[1:]) == 0
    shown = client.get("/picture.png?photo=rocket&decoder=file-0&size=24").content
    made_here = [
        Path(name) for name in ("rocket_decoded.png", "preimage-decoded/rocket_decoded.png")
    ]
    for picture in map(Image.open, [io.BytesIO(shown), *made_here]):
        assert picture.tobytes() == Image.open(io.BytesIO(shown)).tobytes()
