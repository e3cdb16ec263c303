"""SIGTERM, which schedulers and `kill` send, answered as Ctrl-C is: what is finished is kept."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """SIGTERM came. Whatever handles Ctrl-C handles this alike."""


@contextmanager
def terminable() -> Iterator[None]:
    """Within this block SIGTERM raises `Terminated` in the main thread; more of them are ignored.

    A handler that is already there, such as that of a program that embeds this one, stays.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def raise_it(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # one is enough, and must not cut the clearing up
        raise Terminated

    signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
