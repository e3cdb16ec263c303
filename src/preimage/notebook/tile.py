"""Tile: one of the pictures that a result shows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Tile:
    """A picture with the lines below it; without a picture they say why there is none.

    `picture` may be a function that makes it: of a long list only the first are made. `columns` is
    how many columns of a gallery it takes.
    """

    picture: "Image | Callable[[], Image] | None"
    caption: str = ""
    columns: int = 1

    @cached_property
    def image(self) -> "Image | None":
        """The picture, made when it is first asked for."""
        return self.picture() if callable(self.picture) else self.picture
