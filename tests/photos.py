"""Real pixels for tests, the same on every machine: pieces of scikit-image's four photos."""

import torch
from torch import Tensor

from preimage.data.photo import embedded_photos


def pieces(size: int, of: int = 256) -> Tensor:
    """(N, 3, size, size) in [0, 255]: each photo at `of`×`of` pixels, cut into squares."""
    photos = torch.stack([photo.pixels for photo in embedded_photos(of)])
    squares = photos.unfold(2, size, size).unfold(3, size, size)  # (4, 3, rows, columns, s, s)
    return squares.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, size, size)
