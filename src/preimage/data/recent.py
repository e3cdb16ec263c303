"""The last few results of something slow."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Recent(Generic[_Result]):
    """Results by all that they depend on; beyond `most` of them the oldest is forgotten."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._results: dict[Hashable, _Result] = {}

    def get(self, key: Hashable, make: Callable[[], _Result]) -> _Result:
        """The result of this key, made now if it is not there."""
        if key not in self._results:
            made = make()
            while len(self._results) >= self.most:
                self._results.pop(next(iter(self._results)))
            self._results[key] = made
        return self._results[key]

    def clear(self) -> None:
        """Forgets all of them."""
        self._results.clear()
