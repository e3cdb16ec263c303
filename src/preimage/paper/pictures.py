"""`preimage reproduce fig4|fig6`: pictures that trained DCNs take back from random features."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from torch import Tensor

from preimage.data.photo import Photo, embedded_photos, open_photos
from preimage.data.records import output_folder
from preimage.network.architectures import LAYERS
from preimage.paper.convergence import LAWS
from preimage.paper.decoder_draw import draw_decoded
from preimage.paper.draw import save_figure
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import FigureOptions
from preimage.paper.tables import write_rows
from preimage.paper.trainings import Trainings
from preimage.paper.trainings_cost import figure_cost
from preimage.scores.metrics import colour_scores

SIDE = 227
_HELD_OUT = 2  # of these photos, beside the cat
Rows = dict[str, dict[str, Mapping[str, Any]]]  # row → column → words of the training


def run(config: FigureOptions) -> list[Finding]:
    """Trains what is missing and draws what comes back.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(config)
    rows = _fig4() if config.figure == "fig4" else _fig6()
    photos = _photos(config)
    pictures: dict[str, dict[str, list[Tensor]]] = {}
    table: list[dict[str, Any]] = []
    for name, row in rows.items():
        pictures[name] = {}
        for column, words in row.items():
            inverter = trainings.train(words).inverter
            outputs = [inverter(photo.pixels[None]).cpu()[0] for photo in photos]
            pictures[name][column] = outputs
            for photo, output in zip(photos, outputs, strict=True):
                scores = colour_scores(photo.pixels[None], output[None])
                found = {"psnr": float(scores.psnr), "ssim": float(scores.ssim)}
                table.append({"row": name, "column": column, "photo": photo.name, **found})
    folder = output_folder(config.out)
    steps = trainings.preset["steps"]
    heading = f"nothing of the CNN is trained; DCNs after {steps:,} steps; PSNR above"
    figure = draw_decoded(photos, list(pictures.items()), heading)
    picture = save_figure(figure, folder / f"{config.figure}.png", dpi=130).name
    file = write_rows(folder / f"{config.figure}.csv", table)
    means = {
        name: {
            column: _mean([r["psnr"] for r in table if (r["row"], r["column"]) == (name, column)])
            for column in row
        }
        for name, row in rows.items()
    }
    statement, ours, agrees = (_say_4 if config.figure == "fig4" else _say_6)(means)
    claim = Claim(
        config.figure,
        config.figure,
        f"Figure {config.figure.removeprefix('fig')}: what comes back",
        statement,
    )
    numbers: dict[str, str | int] = {"ours": ours, "photos": len(photos)}
    sentence = "{ours} (mean PSNR over {photos} photos)"
    return [claim.finding(sentence, agrees, numbers, pictures=(picture,), tables=(file,))]


def cost(config: FigureOptions) -> str:
    """What the figure's trainings take."""
    rows = _fig4() if config.figure == "fig4" else _fig6()
    words = [words for row in rows.values() for words in row.values()]
    return figure_cost(Trainings(config), words)


def _photos(config: FigureOptions) -> list[Photo]:
    """The cat (the first of `--data`, else scikit-image's), and for Figure 4 two held out."""
    given = list(islice(open_photos(config.data or None, SIDE), 1)) if config.data else []
    cat = given or [photo for photo in embedded_photos(SIDE) if photo.name == "chelsea"]
    if config.figure == "fig6":
        return cat
    return cat + list(islice(open_photos([config.training.held_out], SIDE), _HELD_OUT))


def _fig4() -> Rows:
    kinds: dict[str, dict[str, Any]] = {
        "VGG16 random": {"slope": 0.0},
        "AlexNet random": {"slope": 0.0, "architecture": "alexnet"},
    }
    return {
        name: {
            layer.capitalize(): {**words, "weights": "gaussian:0.015", "layer": layer}
            for layer in LAYERS
        }
        for name, words in kinds.items()
    }


def _fig6() -> Rows:
    laws = {**LAWS, "N(0, 1)": "gaussian:1"}
    return {
        "Conv2-DeConv2": {
            name: {"weights": law, "layer": "conv2", "feature_scaling": False}
            for name, law in laws.items()
        }
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _say_4(means: Mapping[str, Mapping[str, float]]) -> tuple[str, str, bool]:
    ours = "; ".join(
        f"{name}: " + ", ".join(f"{layer} {value:.1f} dB" for layer, value in row.items())
        for name, row in means.items()
    )
    vgg, alexnet = means.values()
    decays = all(row["Conv1"] > row["Conv5"] for row in means.values())
    better = all(vgg[layer] > alexnet[layer] for layer in vgg)
    return "quality decays with depth; VGG is better, even at Conv5", ours, decays and better


def _say_6(means: Mapping[str, Mapping[str, float]]) -> tuple[str, str, bool]:
    (row,) = means.values()
    ours = ", ".join(f"{law} {value:.1f} dB" for law, value in row.items())
    paper_laws = [row[name] for name in LAWS]
    alike = max(paper_laws) - min(paper_laws) < 1
    apart = row["N(0, 1)"] < min(paper_laws) - 1
    return "indistinguishable by eye but for N(0, 1)", ours, alike and apart
