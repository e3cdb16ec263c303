"""What is kept in memory, by key, up to so many bytes; what was not used for longest goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Cache(Generic[_Value]):
    """A bounded dictionary, for several threads.

    >>> cache = Cache[str](most=10)
    >>> cache.put("a", "x", 6), cache.put("b", "y", 6)
    (None, None)
    >>> cache.get("a"), cache.get("b"), cache.bytes
    (None, 'y', 6)
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.bytes = 0
        self._kept: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> _Value | None:
        """The value, which counts as used now."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Hashable, value: _Value, size: int) -> None:
        """Keeps the value; one of more than `most` bytes is not kept."""
        with self._lock:
            if key in self._kept:
                self.bytes -= self._kept.pop(key)[1]
            if size > self.most:
                return
            self._kept[key] = (value, size)
            self.bytes += size
            while self.bytes > self.most:
                _, (_, gone) = self._kept.popitem(last=False)
                self.bytes -= gone

    def values(self) -> list[_Value]:
        """All of them, the one that was not used for longest first."""
        with self._lock:
            return [value for value, _ in self._kept.values()]
