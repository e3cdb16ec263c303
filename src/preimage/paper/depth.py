"""`preimage reproduce fig3a|fig3b`: what comes back from each layer, random against trained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from preimage.data.records import output_folder
from preimage.network.architectures import LAYERS
from preimage.paper.decoder_draw import DepthLine, draw_depth
from preimage.paper.depth_scores import Comparison, Score, Scores
from preimage.paper.draw import save_figure
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import FigureOptions
from preimage.paper.tables import write_rows
from preimage.paper.trainings import Encoders, Trainings
from preimage.paper.trainings_cost import figure_cost

METHODS = ("trained DCN", "least squares")
BASELINES = ("bicubic", "mean image")
PHOTOS = ("training", "held-out")


def run(config: FigureOptions) -> list[Finding]:
    """Trains and fits what is missing, scores it, draws it.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(config)
    kinds, absent = _kinds(trainings)
    arms = _arms(trainings, kinds)
    found: list[Score] = []
    for label, number, layer, words in arms:
        outcomes = {METHODS[0]: trainings.train(words).inverter, METHODS[1]: trainings.fit(words)}
        for method, inverter in outcomes.items():
            for photos, methods in trainings.scores(inverter).items():
                found.append(Score.of(label, number, layer, method, photos, methods["decoder"]))
                if method == METHODS[0] and not number:
                    found += [
                        Score.of(label, 0, layer, name, photos, methods[name]) for name in BASELINES
                    ]
    scores = Scores(found)
    draw = {"fig3a": _fig3a, "fig3b": _fig3b}[config.figure]
    return [draw(trainings, scores, kinds, absent)]


def cost(config: FigureOptions) -> str:
    """What the figure's trainings take."""
    trainings = Trainings(config)
    arms = _arms(trainings, _kinds(trainings)[0])
    return figure_cost(trainings, [words for *_, words in arms])


def _kinds(trainings: Trainings) -> tuple[list[Encoders], list[str]]:
    kinds, absent = trainings.encoders()
    if trainings.config.figure == "fig3b":
        kinds.append(_alexnet(len(kinds[0].networks)))
        absent.append("AlexNet pre-trained on ImageNet")
    return kinds, absent


def _arms(
    trainings: Trainings, kinds: Sequence[Encoders]
) -> list[tuple[str, int, str, Mapping[str, Any]]]:
    layers: Sequence[str] = ("conv3",) if trainings.config.figure == "fig3b" else LAYERS
    return [
        (kind.label, number, layer, {**words, "layer": layer})
        for kind in kinds
        for number, words in enumerate(kind.networks)
        for layer in layers
    ]


def _alexnet(count: int) -> Encoders:
    words = {"weights": "gaussian:0.015", "architecture": "alexnet", "slope": 0.0}
    return Encoders("AlexNet random", tuple({**words, "network_number": n} for n in range(count)))


def _fig3a(
    trainings: Trainings, scores: Scores, kinds: Sequence[Encoders], absent: Sequence[str]
) -> Finding:
    panels = {
        f"{photos} photos": [
            *(
                DepthLine(
                    f"{kind.label}, {method}",
                    {
                        layer: scores.interval(
                            "mse", encoder=kind.label, layer=layer, method=method, photos=photos
                        )
                        for layer in LAYERS
                    },
                    colour,
                    "-" if method == METHODS[0] else "--",
                )
                for colour, kind in enumerate(kinds)
                for method in METHODS
            ),
            *(
                DepthLine(
                    name,
                    {
                        layer: scores.interval(
                            "mse", encoder=kinds[0].label, layer=layer, method=name, photos=photos
                        )
                        for layer in LAYERS
                    },
                    4 + index,
                    ":",
                )
                for index, name in enumerate(BASELINES)
            ),
        ]
        for photos in PHOTOS
    }
    statement = (
        "training and validation agree; random far lower than pre-trained; with depth the loss "
        "grows steeply for pre-trained, slowly for random"
    )
    words = _by_layer(scores, kinds)
    agrees = None
    if len(kinds) > 1:
        random, trained = (kind.label for kind in kinds[:2])
        signs = []
        for method in METHODS:
            shared = {"method": method, "photos": "held-out"}
            gaps = [scores.compare("psnr", x, random, trained, **shared) for x in LAYERS]
            words.append(f"{method}, random less trained, dB: {_compared(gaps)}")
            for metric, unit in (("psnr", "dB"), ("mse", "grey levels²")):
                photos, networks = scores.gap_slope(metric, LAYERS, random, trained, **shared)
                words.append(
                    f"{method}, the gap changes a layer by {photos} {unit} over photos, "
                    f"{networks:+.2f} over networks"
                )
            # The paper speaks of the loss: the last of the two.
            signs += [gap.over_photos.sign for gap in gaps] + [-photos.sign, -networks.sign]
        agrees = True if set(signs) == {1} else False if -1 in signs else None
    return _finish(trainings, scores, panels, statement, words, agrees, kinds, absent)


def _compared(gaps: Sequence[Comparison]) -> str:
    return ", ".join(
        f"{gap.layer.capitalize()} {gap.over_photos} (photos) and "
        f"{gap.over_networks:+.2f} (networks)"
        for gap in gaps
    )


def _by_layer(scores: Scores, kinds: Sequence[Encoders]) -> list[str]:
    """PSNR on held-out photos of every encoder and method, layer by layer."""
    layers = list(dict.fromkeys(score.layer for score in scores.scores))
    return [
        f"{kind.label}, {method}, held-out PSNR in dB "
        + ", ".join(
            str(
                scores.interval(
                    "psnr", encoder=kind.label, layer=layer, method=method, photos="held-out"
                )
            )
            for layer in layers
        )
        for kind in kinds
        for method in METHODS
    ]


def _fig3b(
    trainings: Trainings, scores: Scores, kinds: Sequence[Encoders], absent: Sequence[str]
) -> Finding:
    panels = {
        "Conv3-DeConv3": [
            DepthLine(
                f"{kind.label}, {method}",
                {
                    photos: scores.interval(
                        "mse", encoder=kind.label, layer="conv3", method=method, photos=photos
                    )
                    for photos in PHOTOS
                },
                colour,
                "-" if method == METHODS[0] else "--",
            )
            for colour, kind in enumerate(kinds)
            for method in METHODS
        ]
    }
    words = _by_layer(scores, kinds)
    alexnet = {"encoder": kinds[-1].label, "layer": "conv3", "method": METHODS[0]}
    seen, unseen = (scores.interval("mse", photos=photos, **alexnet) for photos in PHOTOS)
    words.append(
        f"AlexNet random, trained DCN: MSE {seen} on training, {unseen} on held-out photos"
    )
    apart = seen.half_width + unseen.half_width
    agrees = abs(seen.mean - unseen.mean) <= apart
    statement = "AlexNet generalises too; random and pre-trained differ little there"
    return _finish(trainings, scores, panels, statement, words, agrees, kinds, absent)


def _finish(
    trainings: Trainings,
    scores: Scores,
    panels: dict[str, list[DepthLine]],
    statement: str,
    words: Sequence[str],
    agrees: bool | None,
    kinds: Sequence[Encoders],
    absent: Sequence[str],
) -> Finding:
    config = trainings.config
    folder = output_folder(config.out)
    rows = [
        {
            "encoder": score.encoder,
            "network": score.network,
            "layer": score.layer,
            "method": score.method,
            "photos": score.photos,
            "photo": index,
            **{metric: values[index] for metric, values in score.values.items()},
        }
        for score in scores.scores
        for index in range(len(score.values["mse"]))
    ]
    table = write_rows(folder / f"{config.figure}.csv", rows)
    count = len(scores.scores[0].values["mse"])
    networks = ", ".join(f"{kind.label}: {len(kind.networks)}" for kind in kinds)
    missing = f"; absent: {', '.join(absent)}" if absent else ""
    heading = (
        f"{count} photos of {trainings.side}×{trainings.side}, networks: {networks}{missing}\n"
        "means over networks, 95 % intervals over photos"
    )
    label = "mean squared error (grey levels²)"
    picture = save_figure(draw_depth(panels, heading, label), folder / f"{config.figure}.png").name
    claim = Claim(
        config.figure,
        config.figure,
        f"Figure {config.figure.removeprefix('fig')}: reconstruction error",
        statement,
    )
    ours = "; ".join([*words, *(f"{name}: absent" for name in absent)])
    if len(kinds) < 2:
        return replace(claim.absent(ours), pictures=(picture,), tables=(table,))
    return claim.finding("{ours}", agrees, {"ours": ours}, pictures=(picture,), tables=(table,))
