import threading
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


CUDNN: Any = torch.backends.cudnn


def test_full_precision_is_for_as_long_as_it_lasts() -> None:
    """Of torch's own setting, which can be read without a GPU."""
    before = CUDNN.conv.fp32_precision

    def precision_in_use(error: type[Exception] | None = None) -> str:
        with full_precision(torch.device("cuda")):
            if error:
                raise error
            found = str(CUDNN.conv.fp32_precision)
            with CUDNN.flags(enabled=True, allow_tf32=False):  # as a user's module may
                assert not CUDNN.allow_tf32
            return found

    assert precision_in_use() == "ieee"
    assert (CUDNN.conv.fp32_precision, CUDNN.allow_tf32) == (before, True)
    with pytest.raises(ZeroDivisionError):
        precision_in_use(ZeroDivisionError)
    assert (CUDNN.conv.fp32_precision, CUDNN.allow_tf32) == (before, True)
    with full_precision(torch.device("cpu")):
        assert CUDNN.conv.fp32_precision == before


def test_full_precision_ends_with_the_last_thread() -> None:
    before = CUDNN.conv.fp32_precision
    inside, left, found = threading.Event(), threading.Event(), []

    def second() -> None:
        with full_precision(torch.device("cuda")):
            inside.set()
            left.wait(60)
            found.append(CUDNN.conv.fp32_precision)

    thread = threading.Thread(target=second)
    with full_precision(torch.device("cuda")):
        thread.start()
        assert inside.wait(60)
    left.set()
    thread.join()
    assert found == ["ieee"]
    assert CUDNN.conv.fp32_precision == before


def test_full_precision_keeps_the_newer_words_of_a_user() -> None:
    CUDNN.conv.fp32_precision = "ieee"
    try:
        with pytest.raises(RuntimeError):  # the older word can't be read beside them
            _ = CUDNN.allow_tf32
        with full_precision(torch.device("cuda")):
            assert CUDNN.conv.fp32_precision == "ieee"
        assert (CUDNN.conv.fp32_precision, CUDNN.rnn.fp32_precision) == ("ieee", "tf32")
    finally:
        CUDNN.allow_tf32 = True
