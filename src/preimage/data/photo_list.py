"""PhotoList: many photos as a sequence, of which none is read before it is asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import index as as_index
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from preimage.data.archives import OnError, PhotoError
from preimage.data.given import Found, unique
from preimage.data.photo import Photo
from preimage.notebook.view import Drawn, Tile

if TYPE_CHECKING:
    _Photos = Sequence[Photo]
else:
    _Photos = Sequence  # a checker of hints at run time would look into it, and read a photo

_FEW = 3  # names of a list that its text tells
_MOST_SHOWN = 12  # pictures


class PhotoList(Drawn, _Photos):
    """Photos in order, read when they are asked for and not kept; see `preimage.load_photos`.

    With `on_error` those that can't be read are left out, so that its length is known only when
    all have been tried: `len` and negative indices read them once.
    """

    def __init__(self, found: Iterable[Found], on_error: OnError | None = None) -> None:
        self._on_error = on_error
        self._untried = iter(found)
        self._kept: list[tuple[Found, str]] = []  # each with its name
        self._taken: set[str] = set()
        self._last: tuple[int, Photo] | None = None
        if on_error is None:  # files are looked for now, and read later
            self._try_all()

    @overload
    def __getitem__(self, index: SupportsIndex) -> Photo: ...
    @overload
    def __getitem__(self, index: slice) -> "PhotoList": ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            self._try_all()
            part = PhotoList([])
            part._kept = self._kept[index]
            return part
        number = as_index(index)
        if number < 0:
            number += len(self)
        if number < 0 or not self._has(number):
            raise IndexError(f"there are {len(self)} photos, got index {index}.")
        return self._read(number)

    def __len__(self) -> int:
        self._try_all()
        return len(self._kept)

    def __iter__(self) -> Iterator[Photo]:
        number = 0
        while self._has(number):
            yield self._read(number)
            number += 1

    @property
    def names(self) -> list[str]:
        """Their names, each of them unique."""
        self._try_all()
        return [name for _, name in self._kept]

    def _has(self, number: int) -> bool:
        while number >= len(self._kept) and self._try_one():
            pass
        return number < len(self._kept)

    def _try_all(self) -> None:
        while self._try_one():
            pass

    def _try_one(self) -> bool:
        """Takes the next photo in; with `on_error` only if it can be read."""
        found = next(self._untried, None)
        if found is None:
            return False
        photo = None
        if self._on_error is not None:
            try:
                photo = found.read()
            except PhotoError as error:
                self._on_error(error)
                return True
        self._kept.append((found, unique(found.stem, self._taken)))
        if photo is not None:  # whoever iterates asks for it next
            self._last = (len(self._kept) - 1, photo)
        return True

    def _read(self, number: int) -> Photo:
        found, name = self._kept[number]
        if self._last is not None and self._last[0] == number:
            photo, self._last = self._last[1], None
        else:
            photo = found.read()
        return replace(photo, name=name)

    def __repr__(self) -> str:
        names = ", ".join(self.names[:_FEW]) + (", …" if len(self) > _FEW else "")
        return f"{len(self)} photos: {names}" if len(self) != 1 else f"1 photo: {names}"

    def _tiles(self) -> list[Tile]:
        return [self._tile(number) for number in range(min(len(self), _MOST_SHOWN))]

    def _tile(self, number: int) -> Tile:
        try:
            return self._read(number)._tiles()[0]
        except PhotoError as error:
            return Tile(None, str(error))

    def _rows(self) -> list[dict[str, Any]]:
        return []

    def to_frame(self) -> Any:
        """Name, height, width and source of each photo as a pandas data frame; reads them all."""
        from preimage.notebook.frames import frame

        return frame(row for photo in self for row in photo._rows())
