from dataclasses import replace

from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import trace
from preimage.sweeps import jobs
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.jobs import flops, in_turn, run_job
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.results import METRICS
from preimage.sweeps.trials import by_encoder

CONFIG = ReconstructConfig(layer="conv1", width=3, size=0, device="cpu")


def test_a_job_gives_what_the_pair_gives_photo_by_photo() -> None:
    photos = [photo for size in (32, 40) for photo in embedded_photos(size)]
    packed = PackedPhotos.pack(photos)
    configs = (CONFIG, replace(CONFIG, head="mean"), replace(CONFIG, unpool="nearest"))
    result = run_job(configs, packed, threads=1)
    assert result.run["cells"] == 3
    assert result.run["flops"] == 4 * (flops(configs, (32, 32)) + flops(configs, (40, 40)))
    for rows, config in zip(result.rows, configs, strict=True):
        pair = RandomPair(config)
        for row, photo in zip(rows, photos, strict=True):
            expected = pair(photo).scores()
            assert expected.keys() == {*METRICS, "inverted"}
            assert row == {
                "photo": photo.name,
                "photo_sha256": photo.sha256,
                **{name: _close(row[name], value) for name, value in expected.items()},
            }


def test_photos_are_scored_a_few_at_a_time(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(jobs, "_SCORED_TOGETHER", 3)
    packed = PackedPhotos.pack(embedded_photos(32))
    (rows,) = run_job((CONFIG,), packed, threads=1).rows
    assert [row["photo"] for row in rows] == list(packed.names)


def _close(value: float, expected: float) -> float:
    """The value, if it is as expected up to rounding: photos are scored in batches."""
    return value if abs(value - expected) <= 1e-5 * max(1, abs(expected)) else expected


def test_flops_count_what_is_shared_once() -> None:
    config = ReconstructConfig(layer="conv2", width=3, unpool="nearest")
    network = config.network()
    alone = 2 * sum(step.multiply_adds for step in trace(network, 33, 40))
    assert flops((config,), (33, 40)) == alone
    mean = replace(config, head="mean")
    assert flops((config, mean), (33, 40)) == alone
    zeros = replace(config, unpool="zeros")
    encoder = 2 * sum(step.multiply_adds for step in trace(config.encoder(), 33, 40))
    assert flops((config, zeros), (33, 40)) == 2 * alone - encoder
    deeper = replace(config, layer="conv3")
    assert flops((deeper, config), (33, 40)) == flops((deeper,), (33, 40)) + alone - encoder


def test_jobs_take_turns_by_the_work_that_each_kind_has_had() -> None:
    grid = SweepConfig(layer=("conv1",), width=(4, 8, 16), networks=20, head=("conv", "mean"))
    jobs = by_encoder(grid.cells())
    order = in_turn(jobs, (32, 32))
    assert sorted(map(hash, order)) == sorted(hash(tuple(job)) for job in jobs)
    widths = [configs[0].width for configs in order]
    numbers = [configs[0].network_number for configs in order]
    for width in (4, 8, 16):
        assert [n for n, w in zip(numbers, widths, strict=True) if w == width] == [*range(20)]
    # At any time no kind is ahead of another by more than the work of one job of the dearer.
    work = {c[0].width: flops(c, (32, 32)) for c in order}
    first = widths.index(16)
    assert widths[:first].count(4) == work[16] // work[4]
    assert widths[:first].count(8) == work[16] // work[8]


def test_jobs_that_a_photo_is_too_small_for_come_first() -> None:
    grid = SweepConfig(architecture=("alexnet",), layer=("conv1", "conv5"), networks=2)
    order = in_turn(by_encoder(grid.cells(), [(16, 16)]), (16, 16))
    assert [configs[0].layer for configs in order] == ["conv5", "conv5", "conv1", "conv1"]
