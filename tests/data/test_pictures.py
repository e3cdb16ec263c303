"""Pictures of any range in every form, as one batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from preimage.data.photo import Photo
from preimage.data.pictures import picture_batch, side_of

ARRAY = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
BATCH = torch.from_numpy(ARRAY).movedim(2, 0)[None]


def test_every_form_is_the_same_batch(tmp_path: Path) -> None:
    Image.fromarray(ARRAY).save(tmp_path / "a.png")
    forms: list[Any] = [
        *(BATCH, BATCH[0], ARRAY, ARRAY[None], Image.fromarray(ARRAY)),
        *(Photo("a", "here", BATCH[0].float()), tmp_path / "a.png", str(tmp_path)),
    ]
    for form in forms:
        for given in (form, [form]):
            assert torch.equal(picture_batch(given).float(), BATCH.float()), form
    assert picture_batch(forms[1:3]).shape == (2, 3, 9, 7)
    assert picture_batch(BATCH[0, 0]).shape == picture_batch(ARRAY[..., 0]).shape == (1, 1, 9, 7)
    negative = -1000.0 * BATCH
    assert picture_batch(negative) is negative


def test_files_are_resized_to_the_size_of_the_others(tmp_path: Path) -> None:
    Image.fromarray(ARRAY).save(tmp_path / "a.png")
    assert side_of(torch.zeros(2, 1, 5, 5)) == side_of([np.zeros((5, 5, 3))]) == 5
    assert side_of(tmp_path) is side_of(BATCH) is side_of(ARRAY) is None
    assert picture_batch(tmp_path / "a.png", size=5).shape == (1, 3, 5, 5)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (torch.zeros(2, 9, 7), r"`outputs` must be tensors \(H, W\), .*got \(2, 9, 7\)"),
        (np.zeros(3), r"or paths; got \(3,\)"),
        (7, "or paths; got int"),
        ([], "pictures of one size, got none"),
        ([ARRAY, ARRAY[:5]], r"one size, got \(3, 5, 7\) and \(3, 9, 7\)"),
    ],
)
def test_what_is_refused_says_the_forms(pictures: Any, message: str, no_hint_checks: None) -> None:
    with pytest.raises(ValueError, match=message):
        picture_batch(pictures, "outputs")
