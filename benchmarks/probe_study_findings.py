"""Why: what the networks of `probe_study.py` say, as the numbers that docs/probe.md rests on.

    python benchmarks/probe_study_findings.py study

reads its folder and writes benchmarks/probe_study.json: per network and layer the trained network's
PSNR, its twins', their difference with intervals over photos and over draws, floors and ceiling;
the three MobileNetV2 against each other; 3×3 windows; and how often a twin is called trained.
"""

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from probe_study_networks import SUBJECTS, Subject

from preimage.data.records import write_json
from preimage.probing.controls import psnr
from preimage.probing.verdict import Verdict, half_width_at, over_draws
from preimage.scores.statistics import mean_interval, paired_difference

FINDINGS = Path(__file__).with_suffix("").with_name("probe_study.json")
Photos = Mapping[str, Sequence[float]]  # layer → dB per held-out photo


def read(folder: Path) -> dict[str, Photos]:
    """Cell → layer → dB per held-out photo."""
    found: dict[str, Photos] = {}
    for path in sorted(folder.glob("*.json")):
        if path.stem != "common":
            layers = json.loads(path.read_text("utf-8"))["layers"]
            found[path.stem] = {name: psnr(layer["mse"]) for name, layer in layers.items()}
    return found


def draws(cells: Mapping[str, Photos], kind: str, suffix: str = "") -> list[Photos]:
    """The twins of a kind, in the order of their seeds."""
    pattern = re.compile(rf"{re.escape(kind)}-(\d+){suffix}")
    seeds = {int(match[1]): name for name in cells if (match := pattern.fullmatch(name))}
    return [cells[seeds[seed]] for seed in sorted(seeds)]


def verdict(trained: Sequence[float], twins: Sequence[Sequence[float]], layers: int) -> Verdict:
    """As a probe's: corrected for the number of layers."""
    of_twins = [fmean(values) for values in zip(*twins, strict=True)]
    mean = fmean(trained)
    return Verdict(
        paired_difference(trained, of_twins),
        over_draws([mean - fmean(values) for values in twins]),
        1 - 0.05 / layers,
    )


def compared(trained: Photos, twins: Sequence[Photos], layer: str, layers: int) -> dict[str, Any]:
    found = verdict(trained[layer], [twin[layer] for twin in twins], layers)
    return {
        "psnr": [round(fmean(twin[layer]), 3) for twin in twins],
        "difference": round(found.over_photos.mean, 3),
        "over_photos": round(half_width_at(found.over_photos, found.confidence), 3),
        "over_draws": round(half_width_at(found.over_draws, found.confidence), 3),
        "verdict": found.word,
    }


def network(
    name: str, subject: Subject, cells: Mapping[str, Photos], common: Mapping[str, Any]
) -> dict[str, Any]:
    trained, count = cells[name], len(common["layers"])
    twins = {kind: draws(cells, kind) for kind in subject.twins}
    wide = cells.get(f"{name}-window3", {})
    wide_twins = draws(cells, subject.twins[0], "-window3")
    layers = []
    for facts in common["layers"]:
        layer = facts["layer"]
        interval = mean_interval(trained[layer])
        row = {**facts, "trained": [round(interval.mean, 3), round(interval.half_width, 3)]}
        row["twins"] = {
            kind: compared(trained, found, layer, count) for kind, found in twins.items() if found
        }
        if layer in wide and len(wide_twins) > 1:
            row["window3"] = {
                "trained": round(fmean(wide[layer]), 3),
                **compared(wide, wide_twins, layer, len(wide)),
            }
        layers.append({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
    return {
        "size": common["size"],
        "photos": common["photos"],
        "mean_image": round(common["mean_image"], 3),
        "main": subject.twins[0],
        "layers": layers,
    }


def objectives(cells: Mapping[str, Photos], names: Sequence[str]) -> list[dict[str, Any]]:
    """The same architecture trained on other photos and labels, minus the first, photo by photo."""
    first = cells[names[0]]
    rows = []
    for layer, values in first.items():
        row: dict[str, Any] = {"layer": layer}
        for name in names[1:]:
            gap = paired_difference(cells[name][layer], values)
            row[name] = [round(gap.mean, 3), round(gap.half_width, 3)]
        rows.append(row)
    return rows


def called_trained(twins: Sequence[Photos]) -> Iterator[tuple[bool, bool, bool]]:
    """Each draw as if it had been trained, against the others: layer by layer, whether it is called
    different at 95 %, over draws alone, and over draws and photos, and at the corrected level."""
    for index, one in enumerate(twins):
        others = [twin for i, twin in enumerate(twins) if i != index]
        for layer in one:
            apart = [other[layer] for other in others]
            plain, corrected = (verdict(one[layer], apart, n) for n in (1, len(one)))
            yield (
                bool(plain.over_draws.sign),
                plain.word != "not decided",
                corrected.word != "not decided",
            )


def calibration(all_cells: Mapping[str, Mapping[str, Photos]]) -> list[dict[str, Any]]:
    rows = []
    for name, cells in all_cells.items():
        for kind in SUBJECTS[name].twins:
            twins = draws(cells, kind)
            if len(twins) < 3:
                continue
            trials = list(called_trained(twins))
            by_draws, both, corrected = (sum(column) for column in zip(*trials, strict=True))
            rows.append(
                {
                    "architecture": name,
                    "twins": kind,
                    "draws": len(twins),
                    "trials": len(trials),
                    "over_draws": by_draws,
                    "decided": both,
                    "decided_corrected": corrected,
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    cells = {name: read(folder / name) for name in SUBJECTS if (folder / name).is_dir()}
    found: dict[str, Any] = {}
    for name, own in cells.items():
        common = json.loads((folder / name / "common.json").read_text("utf-8"))
        for trained in SUBJECTS[name].trained:
            found[trained] = network(trained, SUBJECTS[name], own, common)
        environment = common["environment"]
    kept = ("preimage", "python", "torch", "device", "threads")
    write_json(
        FINDINGS,
        {
            "networks": found,
            "objectives": objectives(cells["MobileNetV2"], SUBJECTS["MobileNetV2"].trained),
            "calibration": calibration(cells),
            "environment": {key: environment[key] for key in kept},
        },
    )


if __name__ == "__main__":
    main()
