"""Why: a trained DCN that does not beat the best linear decoder is not trained yet.

PSNR on held-out photos over training time, for zeros, nearest and bilinear unpooling, against
least squares at several windows, from the same photos. Both halves see the same encoder. Runs are
kept in --out, and go on where they stopped.

    python benchmarks/trained_against_least_squares.py --train FOLDER --held-out FOLDER --out OUT
"""

import argparse
from itertools import accumulate
from pathlib import Path

from matplotlib.figure import Figure

from preimage.data.memory import open_squares
from preimage.decoders.evaluate import evaluate
from preimage.decoders.fit import fit_decoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.loss_curve import read_metrics
from preimage.decoders.options import DataOptions, DecoderOptions, EncoderOptions, MachineOptions
from preimage.decoders.recipes import DECODER_RECIPES
from preimage.decoders.train import train_decoder
from preimage.network.operations import UnpoolKind
from preimage.network.spec import EncoderSpec
from preimage.paper.draw import COLOURS, save_figure

SIDE, PHOTOS = 256, 24  # the photos that the loss curve's PSNR is measured on
WINDOWS = {"conv2": (1, 3, 5, 7), "conv3": (1, 3, 5)}
UNPOOLS: tuple[UnpoolKind, ...] = ("zeros", "nearest", "bilinear")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", required=True)
    parser.add_argument("--held-out", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layers", nargs="+", default=list(WINDOWS))
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--more-steps", type=int, default=12_000, help="of Conv2, zeros")
    words = parser.parse_args()
    figure = Figure(figsize=(5.8 * len(words.layers), 4.6), layout="constrained")
    figure.suptitle(
        "VGG16, width factor 1/4, random encoder: 900 photos to learn from, "
        f"mean PSNR of {PHOTOS} held-out photos of {SIDE}×{SIDE}",
        fontsize=10,
    )
    for axis, layer in zip(figure.subplots(1, len(words.layers)), words.layers, strict=True):
        lines = {
            window: least_squares(words.train, words.held_out, layer, window, words.out)
            for window in WINDOWS[layer]
        }
        for window, value in lines.items():
            axis.axhline(value, color="0.6", linewidth=0.8, linestyle="--")
            axis.annotate(
                f"least squares {window}×{window}: {value:.2f}",
                (0.01, value),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                fontsize=7,
            )
        best = max(lines.values())
        arms = [(u, words.steps, 2e-3) for u in UNPOOLS]
        arms += [("zeros", words.more_steps, 8e-3)] if layer == "conv2" else []
        for number, (unpool, steps, rate) in enumerate(arms):
            folder = words.out / f"dcn-{layer}-{unpool}-{steps}"
            times, values = trained(words.train, words.held_out, layer, unpool, steps, rate, folder)
            label = f"{unpool}, {steps:,} steps: {values[-1]:.2f}"
            axis.plot(times, values, color=COLOURS[number], linewidth=1.3, label=label)
            ahead = values[-1] - best
            print(
                f"{layer} {unpool} {steps} steps: {values[-1]:.2f} dB after {times[-1]:.1f} min, "
                f"{ahead:+.2f} against least squares",
                flush=True,
            )
        axis.set(title=layer.capitalize(), xlabel="training time (minutes)", ylabel="PSNR (dB)")
        axis.set_xlim(left=0)
        axis.grid(alpha=0.25)
        axis.legend(fontsize=8, frameon=False, loc="lower right")
    print(save_figure(figure, words.out / "trained_against_least_squares.png"))


def encoder(layer: str) -> EncoderOptions:
    return EncoderOptions(spec=EncoderSpec(layer=layer, width_factor=0.25, slope=0.2))


def trained(
    train: str,
    held_out: str,
    layer: str,
    unpool: UnpoolKind,
    steps: int,
    rate: float,
    folder: Path,
) -> tuple[list[float], list[float]]:
    """Minutes of training and PSNR, at each measurement."""
    train_decoder(
        encoder(layer),
        DecoderOptions(unpool=unpool),
        DataOptions(data=train, held_out=held_out, in_memory=SIDE),
        DECODER_RECIPES["quick"].changed(steps=steps, learning_rate=rate),
        folder,
        MachineOptions(device="cpu", workers=0),
    )
    lines = read_metrics(folder / "metrics.jsonl")
    minutes = accumulate(line["seconds"] / 60 for line in lines)
    points = [
        (m, r["held_out_psnr"]) for m, r in zip(minutes, lines, strict=True) if "held_out_psnr" in r
    ]
    return [m for m, _ in points], [value for _, value in points]


def least_squares(train: str, held_out: str, layer: str, window: int, out: Path) -> float:
    """Mean PSNR of the least-squares decoder of all training photos."""
    path = out / f"least-squares-{layer}-{window}.safetensors"
    if not path.exists():
        fit_decoder(encoder(layer), train, path, window=window, size=SIDE, device="cpu")
    photos = open_squares(held_out, SIDE, PHOTOS, argument="held_out").pixels
    scores = evaluate(Inverter.load(path), photos, batch_size=4)["decoder"]
    found = scores.interval("psnr")
    print(f"{layer} least squares {window}×{window}: {found} dB", flush=True)
    return found.mean


if __name__ == "__main__":
    main()
