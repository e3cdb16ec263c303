"""Worker threads, each with its queue: bounded, and without what nobody waits for any more."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Result = TypeVar("_Result")


class Busy(Exception):
    """Too many wait already."""


class Stale(Exception):
    """Whoever asked has gone, so nothing was computed."""


class Lane:
    """One thread, and those who wait for it in order.

    Torch lets go of Python's lock while it computes, so that the event loop answers meanwhile.
    One computation at a time bounds the memory, and has all cores for itself.
    """

    def __init__(self, name: str, most_waiting: int) -> None:
        self.most_waiting = most_waiting
        self.waiting = 0
        self.dropped = 0
        self._executor = ThreadPoolExecutor(1, f"preimage-{name}")
        self._turn = asyncio.Lock()

    async def run(
        self, work: Callable[[], _Result], is_wanted: Callable[[], Awaitable[bool]]
    ) -> _Result:
        """What `work` returns, computed in the thread when it is its turn.

        Raises:
            Busy: too many wait.
            Stale: nobody wants it any more.
        """
        if self.waiting >= self.most_waiting:
            raise Busy
        self.waiting += 1
        try:
            async with self._turn:
                if not await is_wanted():
                    self.dropped += 1
                    raise Stale
                return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Starts nothing more; what is being computed ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)
