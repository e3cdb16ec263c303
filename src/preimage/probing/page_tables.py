"""The tables of a probe's page, as text cells."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from preimage.probing.controls import usable_bits
from preimage.probing.infinite_width import infinite_width_cells
from preimage.probing.layer_report import LayerReport
from preimage.probing.numbers import ProbeNumbers
from preimage.probing.verdict import Verdict, half_width_at
from preimage.scores.statistics import mean_interval

_WORDS = ("training throws away", "training keeps more", "not decided")


def summary(numbers: ProbeNumbers) -> str:
    """How many layers have which verdict, in a sentence; empty without twins."""
    verdicts = [layer.verdict(len(numbers.layers)) for layer in numbers.layers]
    words = [verdict.word for verdict in verdicts if verdict]
    counts = [f"{words.count(word)} {word}" for word in _WORDS if word in words]
    layers = "layer" if len(words) == 1 else "layers"
    return f"Of {len(words)} {layers}: {', '.join(counts)}." if counts else ""


def verdicts(numbers: ProbeNumbers) -> Mapping[str, Any]:
    """PSNR of the network and its twins, their difference and the verdict, by layer."""
    floor = fmean(numbers.mean_image)
    rows = []
    for layer in numbers.layers:
        verdict = layer.verdict(len(numbers.layers))
        rows.append(
            {
                "name": layer.name,
                "features": str(layer.layout),
                "psnr": f"{layer.psnr:.2f}",
                "twins": "" if layer.twin_psnr is None else f"{layer.twin_psnr:.2f}",
                "bits": _signed(usable_bits(layer.psnr.mean, floor)),
                **_difference(verdict),
            }
        )
    first = numbers.layers[0]
    return {
        "rows": rows,
        "photos": len(first.trained),
        "draws": len(first.twins),
        "confidence": f"{100 * (1 - 0.05 / len(numbers.layers)):.3g}",
    }


def _difference(verdict: Verdict | None) -> Mapping[str, str]:
    if verdict is None:
        return {"difference": "", "over_photos": "", "over_draws": "", "verdict": "", "kind": ""}
    over_photos, over_draws = (
        half_width_at(interval, verdict.confidence)
        for interval in (verdict.over_photos, verdict.over_draws)
    )
    kinds = dict(zip(_WORDS, ("fails", "holds", "not-decided"), strict=True))
    return {
        "difference": _signed(verdict.over_photos.mean),
        "over_photos": f"± {over_photos:.2f}",
        "over_draws": "unknown" if over_draws == float("inf") else f"± {over_draws:.2f}",
        "verdict": verdict.word,
        "kind": kinds[verdict.word],
    }


def bounds(numbers: ProbeNumbers) -> Mapping[str, Any]:
    """Each layer between what knows nothing of it and what no decoder of its rank can beat."""
    names = list(dict.fromkeys(name for layer in numbers.layers for name in layer.floors))
    rows = [
        {
            "name": layer.name,
            "cells": [
                *(_mean(layer.floors.get(name, [])) for name in names),
                _mean(layer.trained),
                _mean([psnr for twin in layer.twins for psnr in twin]),
                _mean(layer.ceiling),
            ],
            "where": _where(layer),
        }
        for layer in numbers.layers
    ]
    heading = [*names, "trained", "twins", "ceiling"]
    return {"heading": heading, "rows": rows, "mean_image": _mean(numbers.mean_image)}


def _where(layer: LayerReport) -> str:
    if layer.stride is None:
        return "one vector per photo"
    how = {"grid": "taken to lie evenly", "chosen": "chosen on photos held back"}
    return f"{layer.stride} pixels apart, {how.get(layer.how, layer.how)}"


def other_photos(numbers: ProbeNumbers) -> Mapping[str, Any] | None:
    """Held-out photos beside photos of another domain; None without the latter."""
    if not numbers.mean_image_other:
        return None
    rows = []
    for layer in numbers.layers:
        twins = [fmean(values) for values in layer.other_twins]
        gain = fmean(layer.other) - fmean(numbers.mean_image_other)
        rows.append(
            {
                "name": layer.name,
                "here": f"{layer.psnr:.2f}",
                "there": f"{mean_interval(layer.other):.2f}",
                "twins_here": "" if layer.twin_psnr is None else f"{layer.twin_psnr:.2f}",
                "twins_there": f"{mean_interval(twins):.2f}" if twins else "",
                "gain_here": _signed(layer.psnr.mean - fmean(numbers.mean_image)),
                "gain_there": _signed(gain),
            }
        )
    return {
        "rows": rows,
        "here": _mean(numbers.mean_image),
        "there": _mean(numbers.mean_image_other),
        "photos": len(numbers.mean_image_other),
    }


def rungs(numbers: ProbeNumbers) -> Mapping[str, Any] | None:
    """The costly rungs beside the linear one on the same photos; None where none was run."""
    rows = [
        {
            "name": row["layer"],
            "rung": row["rung"],
            "psnr": f"{row['psnr']:.2f} ± {row['psnr_half_width']:.2f}",
            "linear": f"{row['linear_psnr']:.2f}",
            "above": f"{_signed(row['above_linear'])} ± {row['above_linear_half_width']:.2f}",
            "twin": "" if row["twin_psnr"] is None else f"{row['twin_psnr']:.2f}",
            "error": f"{100 * row['feature_error']:.1f}",
            "verdict": row["verdict"] or "",
            "photos": row["photos"],
        }
        for row in numbers.rung_rows()
    ]
    return {"rows": rows, "twins": any(row["twin"] for row in rows)} if rows else None


def infinite_width(numbers: ProbeNumbers) -> Mapping[str, Any] | None:
    """The line at infinite width, the network and its twins; None where it was not asked for."""
    rows = numbers.infinite_width_rows()
    if not rows:
        return None
    drawn = [name for name, found in numbers.infinite_width.items() if len(found.line) > 1]
    return {
        "rows": [infinite_width_cells(row) for row in rows if not row["missing"]],
        "missing": [row["missing"] for row in rows if row["missing"]],
        "twins": any(row["twins"] for row in rows),
        "drawn": drawn,
    }


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f}" if values else ""


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
