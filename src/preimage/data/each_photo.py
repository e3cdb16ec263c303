"""A pass over photos that survives bad photos and, on Ctrl-C, keeps what is finished."""

import logging
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

from preimage.data.archives import OnError, PhotoError
from preimage.data.decoding import PhotoSize
from preimage.data.photo import Photo
from preimage.data.photos import Photos, open_photos

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def each_photo(
    work: Callable[[Photo], _Result],
    sources: Photos | None,
    size: PhotoSize | None,
    on_error: OnError | None = None,
) -> Iterator[tuple[Photo, _Result]]:
    """Each photo with what `work` makes of it, one at a time.

    Args:
        work: may refuse a photo with a ValueError.
        sources: as in `load_photos`; None for the embedded photos.
        size: the central square of files is resized to this side; None keeps them as they are.
        on_error: called with the error of each photo that cannot be read or that `work` refuses;
            the others still follow. Without it the error is raised.

    Raises:
        PhotoError: the first photo that failed, without `on_error`.
    """
    for photo in open_photos(sources, size, on_error):
        try:
            result = work(photo)
        except ValueError as error:
            problem = PhotoError(f"{photo.source}: {error}")
            if on_error is None:
                raise problem from error
            on_error(problem)
            continue
        yield photo, result


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of many photos: `results` has what was finished before.

    In a notebook or a Python session, `sys.last_value.results`.
    """

    def __init__(self, results: Any, done: str) -> None:
        super().__init__(
            f"interrupted; {done}, in `results` of this exception (in a notebook: "
            "import sys; sys.last_value.results)."
        )
        self.results = results


@contextmanager
def keeping(results: Any, what: str = "photos", finished: Sized | None = None) -> Iterator[None]:
    """Ctrl-C in this block is raised as `Interrupted`, which carries the results so far.

    `finished`, or the results themselves, tell how many there are; without one it is raised as is.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        # SIGTERM is a subclass of it, and ends the process: nobody is there to look at results.
        count = len(results if finished is None else finished)
        if type(stop) is not KeyboardInterrupt or not count:
            raise
        verb = "is" if count == 1 else "are"
        raise Interrupted(results, f"{count} of the {what} {verb} finished") from None


class Problems:
    """An `on_error` that logs each photo left out and keeps its line; `strict` raises it."""

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.lines: list[str] = []

    @property
    def count(self) -> int:
        """How many photos were left out."""
        return len(self.lines)

    def __call__(self, error: PhotoError) -> None:
        """Logs and keeps one of them.

        Raises:
            PhotoError: with `strict`.
        """
        if self.strict:
            said = str(error).removesuffix(".")
            raise PhotoError(f"{said}; `strict` allows no photo to be skipped.") from None
        self.lines.append(str(error))
        _log.warning("%s", error)


def refuse_unreadable(sources: Photos | None, size: PhotoSize | None) -> None:
    """Reads every photo once and keeps none: for those who want all of them or no work at all.

    Raises:
        PhotoError: the first that cannot be read.
    """
    for _ in open_photos(sources, size, Problems(strict=True)):
        pass


class KeepFinished:
    """Ctrl-C leaves this `with` block, so that what is finished can be written.

    >>> finished = []
    >>> with KeepFinished() as keep:
    ...     for number in range(3):
    ...         finished.append(number)
    >>> keep.raise_interrupt()  # nothing, for nobody pressed Ctrl-C
    """

    def __init__(self) -> None:
        self._stop: KeyboardInterrupt | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the block was left so."""
        return self._stop is not None

    def __enter__(self) -> "KeepFinished":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._stop = error if isinstance(error, KeyboardInterrupt) else None
        return self.interrupted

    def raise_interrupt(self) -> None:
        """Raises the KeyboardInterrupt that ended the block, if one did."""
        if self._stop is not None:
            raise self._stop
