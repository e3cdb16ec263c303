import json
from pathlib import Path

import pytest

from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.paper import infinite_width as module
from preimage.paper.infinite_width import infinite_width, infinite_widths


def test_batches_average_over_photos_and_the_cache_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    photos = embedded_photos(12)[:3]
    cache = tmp_path / "infinite_width.json"
    found = infinite_widths(0, photos, cache, "abc")
    config = ReconstructConfig(layer="conv1", pooled=True, head="mean")
    pair, one = infinite_width(config, photos[:2]), infinite_width(config, photos[2:])
    for metric in ("ssim", "pearson"):
        value = found["zeros"][metric]
        assert value.mean == pytest.approx((2 * pair[metric].mean + one[metric].mean) / 3)
        assert value.stderr == pytest.approx((2 * pair[metric].stderr + one[metric].stderr) / 3)
        assert value.n == module.REPEATS
    monkeypatch.setattr(module, "infinite_width", lambda *_: pytest.fail("it is there"))
    assert infinite_widths(0, photos, cache, "abc") == found
    assert len(json.loads(cache.read_text())) == 2


def test_nearest_sees_more_than_zeros() -> None:
    photos = embedded_photos(16)[:1]
    zeros, nearest = (
        infinite_width(
            ReconstructConfig(layer="conv1", pooled=True, head="mean", unpool=unpool), photos
        )
        for unpool in ("zeros", "nearest")
    )
    gap = nearest["pearson"].mean - zeros["pearson"].mean
    assert gap > 4 * (nearest["pearson"].stderr + zeros["pearson"].stderr)
