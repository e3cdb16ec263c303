"""A list whose items show themselves side by side."""

from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeVar, overload

from preimage.notebook.view import Drawn, Shown, Tile

Item = TypeVar("Item")


class Gallery(list[Item], Drawn):
    """A list of results; a slice of it is one too. In a notebook it shows its items' pictures."""

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Item: ...
    @overload
    def __getitem__(self, index: slice, /) -> "Gallery[Item]": ...
    def __getitem__(self, index: Any, /) -> Any:
        found = super().__getitem__(index)
        return type(self)(found) if isinstance(index, slice) else found

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]" if len(self) < 3 else self._line()

    def _line(self) -> str:
        """The list in one line, where its items would take several."""
        kinds = " | ".join(sorted({type(item).__name__ for item in self}))
        names = [name for item in self[:3] if (name := getattr(item, "name", None))]
        return f"{len(self)} × {kinds}" + (f": {', '.join(names)}, …" if names else "")

    def _tiles(self) -> Sequence[Tile]:
        return [item._tiles()[0] for item in self if isinstance(item, Shown) and item._tiles()]

    def _rows(self) -> Sequence[dict[str, Any]]:
        return [dict(row) for item in self if isinstance(item, Shown) for row in item._rows()]
