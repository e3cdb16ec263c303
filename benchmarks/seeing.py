"""Why: which unpooling, pooling and head let a random CNN-DCN see best is a table of its own.

Reads the tables of sweeps over them, and prints for each layer every combination's mean over
networks and how far it is behind the best, network 7 against network 7, with 95 % intervals. With
`--picture` it also draws what network 0 of some combinations makes of two photos that
scikit-image ships.

    preimage sweep --layer conv1 --pooled --pool max avg l2 --unpool zeros nearest bilinear \
        --head conv mean --networks 8 --data PHOTOS --photos 50 --out conv1
    python benchmarks/seeing.py conv1 --picture seeing.jpg
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure

from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.paper.draw import caption, without_ticks
from preimage.scores.statistics import mean_interval, paired_difference
from preimage.sweeps.pair import RandomPair

Scores = dict[tuple[str, ...], dict[int, float]]
WORDS = ("head", "unpool", "pool")
SHOWN = (("mean", "bilinear"), ("mean", "nearest"), ("mean", "zeros"), ("conv", "nearest"))


def averages(folders: list[Path], metric: str) -> dict[str, Scores]:
    """layer → (head, unpool, pool) → network → the score's absolute value, averaged over photos."""
    rows: dict[tuple[str, tuple[str, ...], int], list[float]] = defaultdict(list)
    for folder in folders:
        with (folder / "table.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                key = (row["layer"], tuple(row[n] for n in WORDS), int(row["network_number"]))
                rows[key].append(abs(float(row[metric])))
    found: dict[str, Scores] = defaultdict(lambda: defaultdict(dict))
    for (layer, words, network), values in rows.items():
        found[layer][words][network] = fmean(values)
    return found


def markdown(ssim: Scores, size: Scores) -> str:
    ranked = sorted(ssim, key=lambda words: -fmean(ssim[words].values()))
    best = ssim[ranked[0]]
    lines = [
        "| head | unpooling | pooling | SSIM | SSIM minus best | mean \\|r\\| | networks |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for words in ranked:
        common = sorted(best.keys() & ssim[words].keys())
        behind = paired_difference([ssim[words][n] for n in common], [best[n] for n in common])
        gap = "" if words == ranked[0] else f"{behind.mean:+.3f} ± {behind.half_width:.3f}"
        scores, sizes = (mean_interval(list(values[words].values())) for values in (ssim, size))
        cells = (*words, scores.spread(), gap, sizes.spread(), f"{scores.n}")
        lines.append("| " + " | ".join(cells).replace("-", "−") + " |")
    return "\n".join(lines)


def picture(layers: tuple[str, ...]) -> Figure:
    photos = embedded_photos()[:2]
    rows = [(layer, photo) for layer in layers for photo in photos]
    figure = Figure(figsize=(1.75 * (1 + len(SHOWN)), 1.95 * len(rows)), layout="constrained")
    for line, (layer, photo) in zip(figure.subplots(len(rows), 1 + len(SHOWN)), rows, strict=True):
        line[0].imshow(photo.pixels.permute(1, 2, 0).numpy() / 255)
        line[0].set_ylabel(layer.capitalize(), fontsize=8)
        for axis, (head, unpool) in zip(line[1:], SHOWN, strict=True):
            words = {"head": head, "unpool": unpool, "pool": "avg", "pooled": True}
            result = RandomPair(ReconstructConfig(layer=layer, **words))(photo)  # type: ignore[arg-type]
            axis.imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_title(f"{head}, {unpool}\n{caption(result)}", fontsize=7)
    return without_ticks(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    ssim, size = (averages(options.folders, metric) for metric in ("ssim", "pearson"))
    for layer in ssim:
        print(f"{layer}\n\n{markdown(ssim[layer], size[layer])}\n")
    if options.picture:
        drawn = picture(tuple(ssim))
        drawn.savefig(options.picture, dpi=90, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main()
