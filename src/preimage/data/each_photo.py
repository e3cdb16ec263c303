"""A pass over photos that survives bad photos and, on Ctrl-C, keeps what is finished."""

import logging
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TypeVar

from preimage.data.archives import OnError, PhotoError
from preimage.data.photo import Photo
from preimage.data.photos import Photos, open_photos

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def each_photo(
    work: Callable[[Photo], _Result],
    sources: Photos | None,
    size: int | None,
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


class Problems:
    """An `on_error` that logs each photo left out and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: PhotoError) -> None:
        """Logs and counts one of them."""
        self.count += 1
        _log.warning("%s", error)


class KeepFinished:
    """Ctrl-C leaves this `with` block, so that what is finished can be written.

    >>> finished = []
    >>> with KeepFinished() as keep:
    ...     for number in range(3):
    ...         finished.append(number)
    >>> keep.raise_interrupt()  # nothing, for nobody pressed Ctrl-C
    """

    def __init__(self) -> None:
        self.interrupted = False

    def __enter__(self) -> "KeepFinished":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self.interrupted = isinstance(error, KeyboardInterrupt)
        return self.interrupted

    def raise_interrupt(self) -> None:
        """Raises the KeyboardInterrupt that ended the block, if one did."""
        if self.interrupted:
            raise KeyboardInterrupt
