import pytest
import torch

from preimage.network.device import resolve_device


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for available, auto in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert resolve_device("auto") == torch.device(auto)
        assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("cuda") == torch.device("cuda")


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"`device` is cuda, but .*use cpu or auto"):
        resolve_device("cuda")


def test_another_name() -> None:
    with pytest.raises(ValueError, match="`device` must be auto, cpu or cuda, got 'tpu'"):
        resolve_device("tpu")
