from dataclasses import replace

from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import trace
from preimage.sweeps import jobs
from preimage.sweeps.jobs import METRICS, flops, run_job
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.photos import PackedPhotos

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
            record = pair(photo).record()
            assert row == {
                "photo": photo.name,
                "photo_sha256": photo.sha256,
                **{metric: _close(row[metric], record[metric]) for metric in METRICS},
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
