"""Tile: one of the pictures that a result shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Tile:
    """A picture with the lines below it; without a picture they say why there is none.

    `columns` is how many columns of a gallery it takes.
    """

    image: "Image | None"
    caption: str = ""
    columns: int = 1
