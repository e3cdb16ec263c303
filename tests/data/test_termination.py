"""SIGTERM within a block, twice, beside another handler and in another thread."""

import signal
import threading
from collections.abc import Iterator

import pytest

from preimage.data.termination import Terminated, terminable


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_first_one_raises_and_a_second_one_does_not_disturb_the_clearing_up() -> None:
    cleared = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleared.append(True)

    with pytest.raises(Terminated), terminable():
        work()
    assert cleared == [True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_another_handler_stays() -> None:
    heard = []
    signal.signal(signal.SIGTERM, lambda *_: heard.append(True))
    with terminable():
        signal.raise_signal(signal.SIGTERM)
    assert heard == [True]


def test_another_thread_leaves_signals_alone() -> None:
    seen = []

    def look() -> None:
        with terminable():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]
