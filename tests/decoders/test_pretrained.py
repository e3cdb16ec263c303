import hashlib
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision_files import MEAN, STD, state, torchvision_features, torchvision_layers

from preimage.decoders.pretrained import (
    WeightsError,
    from_torchvision,
    pretrained_description,
    pretrained_encoder,
    read_tensors,
)
from preimage.network.build import Network


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
        "pickle.pth": (pickle.dumps({"a": 1.5}, 4), "can't be read|not tensors"),
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
    with pytest.raises(WeightsError, match=r"nowhere\.pth: no such file; it takes"):
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
