"""SSIM and Pearson's r of what random networks with a channel mean tend to, as the width grows."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from preimage.data.photo import Photo
from preimage.data.records import write_json
from preimage.network.spec import ReconstructConfig
from preimage.paper.options import UNPOOLS
from preimage.scores.metrics import grey_scores
from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.cells import cell_key
from preimage.theory import sampled_limit

Limits = dict[str, dict[str, Interval]]  # unpooling → metric → average over the photos

#: Times that the max pools are sampled anew, for the standard error.
REPEATS = 4
_BATCH = 4  # photos; the limit of 50 at once would take several GB


def infinite_width(config: ReconstructConfig, photos: Sequence[Photo]) -> dict[str, Interval]:
    """SSIM and Pearson's r of the infinite-width output (`preimage.theory.sampled_limit`).

    The max pools are sampled anew in each of `REPEATS` repeats, which gives the standard error.
    Eight times 256 draws of each window leave an error below 1e-3.
    """
    description = config.network().with_normalisation()
    images = torch.stack([photo.pixels for photo in photos])
    draws: dict[str, list[float]] = {"ssim": [], "pearson": []}
    for seed in range(REPEATS):
        f_star = sampled_limit(
            description, images, num_samples=256, num_repeats=2, seed=seed, dtype=torch.float32
        ).image
        scores = grey_scores(images, f_star.float())
        draws["ssim"].append(float(scores.ssim.mean()))
        draws["pearson"].append(float(scores.pearson.mean()))
    return {metric: mean_interval(values) for metric, values in draws.items()}


def infinite_widths(
    seed: int,
    photos: Sequence[Photo],
    cache: Path,
    photos_sha256: str,
    on_batch: Callable[[], object] = lambda: None,
) -> Limits:
    """What the variant tends to as the width grows, averaged over the photos.

    Args:
        cache: a JSON file; what it holds for these photos is not computed again.
    """
    known = _read(cache)
    answer: Limits = {}
    for unpool in UNPOOLS:
        variant = ReconstructConfig(
            layer="conv1", pooled=True, unpool=unpool, head="mean", seed=seed
        )
        key = cell_key(variant, photos_sha256)
        if key not in known:
            found = in_batches(variant, photos, on_batch)
            known[key] = {name: [value.mean, value.stderr] for name, value in found.items()}
            write_json(cache, known)
        answer[unpool] = {
            name: Interval(mean, stderr, REPEATS) for name, (mean, stderr) in known[key].items()
        }
    return answer


def in_batches(
    config: ReconstructConfig,
    photos: Sequence[Photo],
    on_batch: Callable[[], object] = lambda: None,
) -> dict[str, Interval]:
    """As `infinite_width`, in the memory of a few photos, however many there are.

    The batches share their random draws, so their standard errors add up.
    """
    found: dict[str, list[tuple[int, Interval]]] = {}
    for start in range(0, len(photos), _BATCH):
        batch = photos[start : start + _BATCH]
        for metric, value in infinite_width(config, batch).items():
            found.setdefault(metric, []).append((len(batch), value))
        on_batch()
    total = len(photos)
    return {
        metric: Interval(
            sum(n * value.mean for n, value in values) / total,
            sum(n * value.stderr for n, value in values) / total,
            REPEATS,
        )
        for metric, values in found.items()
    }


def _read(cache: Path) -> dict[str, dict[str, list[float]]]:
    try:
        data: dict[str, dict[str, list[float]]] = json.loads(cache.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data
