"""The demo's work goes through worker processes, and a limit that fails stops it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.paper import overview_jobs as module
from preimage.paper.infinite_width import infinite_width
from preimage.paper.overview_jobs import Computed, compute
from preimage.scores.statistics import Interval
from preimage.sweeps.engine import Backend
from preimage.sweeps.grid import Execution
from preimage.sweeps.jobs import run_job
from preimage.sweeps.photos import PackedPhotos

LIMIT = ReconstructConfig(layer="conv1", pooled=True, unpool="nearest", head="mean")
NETWORKS = [
    ReconstructConfig(layer="conv1", pooled=True, unpool="nearest", width=2, network_number=number)
    for number in (0, 1)
]


def test_networks_and_limits_come_out_of_a_worker_process() -> None:
    photos = embedded_photos(12)[:1]
    found = dict(compute(NETWORKS, [LIMIT], photos, Execution(workers=1)))
    assert found.keys() == {LIMIT, *NETWORKS}
    limit, expected = found[LIMIT], infinite_width(LIMIT, photos)
    assert isinstance(limit, dict)
    for metric in ("ssim", "pearson"):
        assert limit[metric].mean == pytest.approx(expected[metric].mean)
        assert limit[metric].stderr == pytest.approx(expected[metric].stderr)
    for config, pictures in zip(NETWORKS, (1, 0), strict=True):
        network = found[config]
        assert isinstance(network, Computed)
        assert [network.records] == run_job((config,), PackedPhotos.pack(photos), 1).rows
        assert len(network.pictures) == pictures


def test_a_limit_that_fails_is_tried_again_and_stops_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def fails(*given: object) -> dict[str, Interval]:
        tried.append(given)
        raise ValueError("a reason")

    monkeypatch.setattr(module, "in_batches", fails)
    backend = Backend(ThreadPoolExecutor(1), in_flight=1, attempts=2)
    monkeypatch.setattr(module, "open_backend", lambda *given: backend)
    found = compute(NETWORKS, [LIMIT], embedded_photos(12)[:1], Execution())
    with pytest.raises(RuntimeError, match="a reason"):
        next(found)
    assert len(tried) == 2
