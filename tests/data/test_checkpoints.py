"""Checkpoints: what is written comes back; what was damaged is refused in one line."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from preimage.data.checkpoints import Checkpoint, CheckpointError, read_checkpoint, write_checkpoint

TENSORS = {
    "a.weight": torch.arange(6.0).view(2, 3),
    "b": torch.tensor(3),
    "c": torch.ones(2).bfloat16(),
}


def test_round_trip_of_any_type_and_memory_format(tmp_path: Path) -> None:
    tensors = {**TENSORS, "last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)}
    path = write_checkpoint(
        tmp_path / "x.safetensors", Checkpoint("decoder", {"π": [1, None]}, tensors)
    )
    back = read_checkpoint(path, "decoder")
    assert back.card == {"π": [1, None]}
    assert back.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert back.tensors[name].dtype == tensor.dtype
        assert torch.equal(back.tensors[name], tensor)
    assert back.part("a").keys() == {"weight"}
    assert json.loads(path.with_suffix(".json").read_text())["π"] == [1, None]
    assert {p.name for p in tmp_path.iterdir()} == {"x.safetensors", "x.json"}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "x.safetensors", Checkpoint("decoder", {"k": 1}, TENSORS))


def test_any_flipped_bit_of_a_tensor_is_found(checkpoint: Path) -> None:
    data = bytearray(checkpoint.read_bytes())
    data[-1] ^= 1
    checkpoint.write_bytes(data)
    with pytest.raises(CheckpointError, match="does not match its SHA-256"):
        read_checkpoint(checkpoint, "decoder")


def test_a_changed_card_is_found(checkpoint: Path) -> None:
    data = checkpoint.read_bytes()
    assert b'\\"k\\": 1' in data
    checkpoint.write_bytes(data.replace(b'\\"k\\": 1', b'\\"k\\": 2'))
    with pytest.raises(CheckpointError, match="does not match its SHA-256"):
        read_checkpoint(checkpoint, "decoder")


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_a_truncated_file_is_refused(checkpoint: Path, length: int) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:length])
    with pytest.raises(CheckpointError, match="truncated"):
        read_checkpoint(checkpoint, "decoder")


def test_other_files_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds a decoder, expected a classifier"):
        read_checkpoint(checkpoint, "classifier")
    with pytest.raises(CheckpointError, match="no such file"):
        read_checkpoint(tmp_path / "nothing", "decoder")
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="not one written by preimage"):
        read_checkpoint(tmp_path / "other.safetensors", "decoder")
