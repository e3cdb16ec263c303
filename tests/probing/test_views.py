"""What a DCN is trained on: which views there are, tiles that fit, rounds that change nothing."""

import torch
from torch import Tensor

from preimage.probing.views import Views


def _photos() -> Tensor:
    """5 photos of 48×40 pixels that tell their own number and place."""
    places = torch.arange(48.0)[:, None] * 100 + torch.arange(40.0)
    return torch.stack([places + 10_000 * k for k in range(5)])[:, None].repeat(1, 3, 1, 1)


def _make(photos: Tensor) -> tuple[Tensor, Tensor]:
    return photos[:, :1, ::4, ::4], photos


def test_views_are_the_photo_its_mirror_and_shifts() -> None:
    photos = _photos()
    views = Views(photos, 4, 4, 100, 0)
    assert torch.equal(views.view(0, 3), photos[3])
    assert torch.equal(views.view(1, 3), photos[3].flip(-1))
    shift = views.view(2, 3) - photos[3]
    inside = shift[:, 4:-4, 4:-4]
    assert inside.min() == inside.max()
    assert torch.equal(views.view(2, 3), views.view(2, 3))


def test_tiles_of_features_lie_on_their_pixels() -> None:
    views = Views(_photos(), 4, 2, 100, 0)
    for batch in views.batches(_make, 3, 6):
        assert batch.pixels.shape == (6, 3, 48, 40)  # 16 positions, or all there are
        assert torch.equal(batch.labels, batch.pixels[:, :1, ::4, ::4])
    small = Views(torch.rand(2, 3, 96, 80), 4, 1, 100, 0)
    (batch,) = small.batches(_make, 1, 4)
    assert batch.pixels.shape == (4, 3, 64, 64)
    assert torch.equal(batch.labels, batch.pixels[:, :1, ::4, ::4])


def test_memory_is_filled_in_rounds_that_see_each_pair_once() -> None:
    seen: list[int] = []

    def make(photos: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(len(photos))
        return _make(photos)

    views = Views(_photos(), 4, 3, 4, 1)
    assert views.rounds == 4
    assert len(list(views.batches(make, 9, 2))) == 9
    assert sum(seen) == 15
    assert max(seen) <= 4
