"""Pictures under their scores, line by line."""

import numpy as np
import torch

from preimage.data.photo import Photo
from preimage.paper.pictures import Cell, draw_pictures, means_of


def test_the_drawing_shows_every_picture_under_its_psnr() -> None:
    photos = [Photo(name, name, torch.full((3, 8, 8), 100.0)) for name in ("one", "two")]
    outputs = [torch.full((3, 8, 8), 110.0), torch.full((3, 8, 8), 300.0)]
    cells = [Cell("row", column, 0, outputs, [28.1, 2.2], [0.5, 0.1]) for column in ("a", "b")]
    figure = draw_pictures(photos, cells, "heading")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["one", "a: 28.1 dB", "b: 28.1 dB", "two", "a: 2.2 dB", "b: 2.2 dB"]
    shown = np.asarray(figure.axes[4].images[0].get_array())
    assert shown.shape == (8, 8, 3)
    assert (shown == 255).all()  # clipped


def test_means_are_over_photos_by_network() -> None:
    outputs = [torch.zeros(3, 2, 2)] * 2
    cells = [Cell("r", "c", n, outputs, [10.0 + n, 20.0 + n], [0.0, 0.0]) for n in (0, 1)]
    assert means_of(cells) == {"r": {"c": [15.0, 16.0]}}
