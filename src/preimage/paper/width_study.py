"""Conv1-DeConv1 by width (Section 4.2): Figures 5, 8 and 9, which share their networks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from preimage.data.photo import Photo
from preimage.data.records import write_json
from preimage.network.spec import DeviceName, ReconstructConfig
from preimage.paper.curves import Curve, curve
from preimage.paper.overview import InfiniteWidth, infinite_width
from preimage.paper.sweeping import UNPOOLS
from preimage.sweeps.cells import cell_key
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.reconstruction import Reconstruction
from preimage.sweeps.run import Results

_BATCH = 4  # photos; the limit of 50 at once would take several GB


def grid(widths: Sequence[int], networks: int, seed: int, device: DeviceName) -> SweepConfig:
    """Both heads and both unpoolings at every width: one CNN serves all four."""
    return SweepConfig(
        layer=("conv1",),
        pooled=True,
        width=tuple(widths),
        unpool=UNPOOLS,
        head=("conv", "mean"),
        networks=networks,
        seed=seed,
        device=device,
    )


def curves(results: Results, head: str, metric: str, absolute: bool = False) -> dict[str, Curve]:
    """One curve an unpooling."""
    return {
        unpool: curve(
            results,
            f"{unpool} unpooling",
            "width",
            {"head": head, "unpool": unpool},
            metric,
            absolute,
        )
        for unpool in UNPOOLS
    }


def limits(
    config: ReconstructConfig,
    photos: Sequence[Photo],
    cache: Path,
    photos_sha256: str,
    on_batch: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, InfiniteWidth]]:
    """What the variant tends to as the width grows: unpooling → metric → average over photos.

    Args:
        config: seed and device; its width does not matter.
        cache: a JSON file; what it holds for these photos is not computed again.
    """
    known = _read(cache)
    answer: dict[str, dict[str, InfiniteWidth]] = {}
    for unpool in UNPOOLS:
        variant = ReconstructConfig(
            layer="conv1", pooled=True, unpool=unpool, head="mean", seed=config.seed
        )
        key = cell_key(variant, photos_sha256)
        if key not in known:
            known[key] = _in_batches(variant, photos, on_batch)
            write_json(cache, known)
        answer[unpool] = {name: InfiniteWidth(*pair) for name, pair in known[key].items()}
    return answer


def _in_batches(
    config: ReconstructConfig, photos: Sequence[Photo], on_batch: Callable[[], object]
) -> dict[str, list[float]]:
    """Mean and standard error; the batches share their random draws, so their errors add up."""
    found: dict[str, list[tuple[int, InfiniteWidth]]] = {}
    for start in range(0, len(photos), _BATCH):
        batch = photos[start : start + _BATCH]
        for metric, value in infinite_width(config, batch).items():
            found.setdefault(metric, []).append((len(batch), value))
        on_batch()
    total = len(photos)
    return {
        metric: [
            sum(n * value.mean for n, value in values) / total,
            sum(n * value.stderr for n, value in values) / total,
        ]
        for metric, values in found.items()
    }


def _read(cache: Path) -> dict[str, dict[str, list[float]]]:
    try:
        data: dict[str, dict[str, list[float]]] = json.loads(cache.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data


@dataclass(frozen=True)
class Typical:
    """Of one width and photo, the network whose SSIM is nearest the mean over networks."""

    config: ReconstructConfig
    reconstruction: Reconstruction
    mean: float
    networks: int


def typical(
    results: Results, words: Mapping[str, object], photo: int, width: int
) -> Typical | None:
    """Runs again, alone, the network that Figure 5 would show; None if no cell is done."""
    scores = {
        config: results.rows[config][photo]["ssim"]
        for config in results.cells
        if config in results.rows
        and config.width == width
        and all(getattr(config, name) == value for name, value in words.items())
    }
    if not scores:
        return None
    mean = fmean(scores.values())
    chosen = min(scores, key=lambda config: (abs(scores[config] - mean), config.network_number))
    return Typical(chosen, RandomPair(chosen)(results.photos.photo(photo)), mean, len(scores))
