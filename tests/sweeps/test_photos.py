from dataclasses import replace

import pytest
import torch

from preimage.data.photo import embedded_photos, fingerprint
from preimage.sweeps.photos import PackedPhotos


def test_packed_photos_keep_every_bit() -> None:
    photo = embedded_photos(32)[0]
    half = replace(photo, pixels=photo.pixels / 2)
    packed = PackedPhotos.pack([photo, half])
    assert [array.itemsize for array in packed.arrays] == [1, 4]  # bytes per value
    for index, original in enumerate((photo, half)):
        assert torch.equal(packed.photo(index).pixels, original.pixels)
        assert packed.photo(index).sha256 == packed.hashes[index] == original.sha256
    assert packed.sha256 == fingerprint([photo.sha256, half.sha256])
    assert packed.sizes == ((32, 32), (32, 32))


def test_no_photo_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one photo"):
        PackedPhotos.pack([])
