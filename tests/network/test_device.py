from typing import Any

import pytest
import torch

from preimage.network.device import full_precision, resolve_device


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


def test_full_precision_is_for_as_long_as_it_lasts() -> None:
    """Of torch's own setting, which can be read without a GPU."""
    cudnn: Any = torch.backends.cudnn
    convolutions = cudnn.conv
    before = convolutions.fp32_precision

    def precision_in_use(error: type[Exception] | None = None) -> str:
        with full_precision(torch.device("cuda")):
            if error:
                raise error
            return str(convolutions.fp32_precision)

    assert precision_in_use() == "ieee"
    assert convolutions.fp32_precision == before
    with pytest.raises(ZeroDivisionError):
        precision_in_use(ZeroDivisionError)
    assert convolutions.fp32_precision == before
    with full_precision(torch.device("cpu")):
        assert convolutions.fp32_precision == before
