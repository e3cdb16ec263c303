"""Figure 3a: the error of trained decoders by layer, on random and on trained features."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from preimage.data.cost import Sum
from preimage.network.architectures import LAYERS
from preimage.paper.arms import NO_TRAINED, Encoders
from preimage.paper.decision import all_of, is_below, is_within
from preimage.paper.decoder_draw import ErrorLine, draw_errors, save_files, with_files
from preimage.paper.decoder_scores import (
    BASELINES,
    DCN,
    LEAST_SQUARES,
    METHODS,
    PHOTOS,
    Scores,
    score_decoders,
)
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.fits_cost import fits_cost
from preimage.paper.options import FigureOptions
from preimage.paper.trainings import Trainings
from preimage.paper.trainings_cost import trainings_cost
from preimage.paper.tuning import Tuned, place, tune, tuning_arms
from preimage.scores.statistics import mean_interval

AGREE = Claim(
    "fig3a_photos",
    "fig3a",
    "Figure 3a: training and validation photos",
    "The losses on training and on validation photos agree.",
)
LOWER = {
    DCN: Claim(
        "fig3a_lower",
        "fig3a",
        "Figure 3a: random against pre-trained features",
        "The loss on random features is far lower than on pre-trained ones.",
    ),
    LEAST_SQUARES: Claim(
        "fig3a_lower_least_squares",
        "fig3a",
        "Figure 3a: random against pre-trained features, decoders in closed form (ours)",
        "The loss on random features is far lower than on pre-trained ones.",
    ),
}
STEEPER = {
    DCN: Claim(
        "fig3a_depth",
        "fig3a",
        "Figure 3a: the loss with depth",
        "With depth the loss grows steeply for pre-trained features, slowly for random ones.",
    ),
    LEAST_SQUARES: Claim(
        "fig3a_depth_least_squares",
        "fig3a",
        "Figure 3a: the loss with depth, decoders in closed form (ours)",
        "With depth the loss grows steeply for pre-trained features, slowly for random ones.",
    ),
}
#: Training and held-out photos agree within half a dB: 12 % of the loss, less than the least step
#: from one layer to the next that the paper's curves show.
SAME_DB = 0.5
#: Networks of a kind that choose its learning rate at each layer: Conv1 wants one sixteen times as
#: high as Conv3, and at too high a rate a DCN ends as one grey.
_TUNED_ON = 2


def run(options: FigureOptions) -> list[Finding]:
    """Trains and fits what is missing, scores it, draws it.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(options)
    kinds = _kinds(trainings)
    tuned = {
        layer: [tune(trainings, kind, networks=_TUNED_ON) for kind in of_layer]
        for layer, of_layer in kinds.items()
    }
    best = {arm.encoder: arm for row in tuned.values() for found in row for arm in found.arms}
    scores = score_decoders(trainings, kinds, best.__getitem__)
    labels = [kind.label for kind in kinds[LAYERS[0]]]
    figure = draw_errors(
        {f"{photos} photos": _lines(scores, labels, photos) for photos in PHOTOS},
        heading(trainings, scores, kinds[LAYERS[0]]),
        "layer",
    )
    files = save_files(options, figure, scores.rows())
    findings = [_agree(scores, labels)]
    for method in METHODS:
        if len(labels) > 1:
            random, trained = labels
            lower = _lower(scores, random, trained, method)
            findings += [
                _with_rates(lower, tuned) if method == DCN else lower,
                _steeper(scores, random, trained, method),
            ]
        else:
            reason = NO_TRAINED
            findings += [LOWER[method].absent(reason), STEEPER[method].absent(reason)]
    closed_form = {claims[LEAST_SQUARES].name for claims in (LOWER, STEEPER)}
    steps = trainings.preset.steps
    return with_files(findings, files, steps, trainings.seconds, closed_form)


def cost(options: FigureOptions) -> Sum:
    """What trainings, fits and scores take."""
    trainings = Trainings(options)
    arms = [
        arm
        for kinds in _kinds(trainings).values()
        for kind in kinds
        for *_, arm in tuning_arms(trainings, kind, networks=_TUNED_ON)
    ]
    encoders = list(dict.fromkeys(arm.encoder for arm in arms))
    fits = fits_cost(trainings, encoders, scored=True)
    return Sum([trainings_cost(trainings, arms), fits])


def _kinds(trainings: Trainings) -> dict[str, list[Encoders]]:
    networks = trainings.num_compared
    return {layer: trainings.encoders(layer, networks) for layer in LAYERS}


def heading(trainings: Trainings, scores: Scores, kinds: Sequence[Encoders]) -> str:
    """Of a chart of errors: its photos, its networks, its intervals."""
    photos = len(scores.scores[0].values["mse"])
    networks = ", ".join(f"{kind.label} (n = {len(kind.networks)})" for kind in kinds)
    return (
        f"{photos:,} photos of {trainings.side}×{trainings.side}; {networks}\n"
        "means over networks, 95 % intervals over photos"
    )


def _lines(scores: Scores, labels: Sequence[str], photos: str) -> list[ErrorLine]:
    def line(label: str, encoder: str, method: str, colour: int, style: str) -> ErrorLine:
        fields = {"encoder": encoder, "method": method, "photos": photos}
        points = {layer: scores.interval("mse", layer=layer, **fields) for layer in LAYERS}
        return ErrorLine(label, points, colour, style)

    decoders = [
        line(f"{label}, {method}", label, method, colour, "-" if method == DCN else "--")
        for colour, label in enumerate(labels)
        for method in METHODS
    ]
    return decoders + [
        line(name, labels[0], name, 4 + index, ":") for index, name in enumerate(BASELINES)
    ]


def _agree(scores: Scores, labels: Sequence[str]) -> Finding:
    gaps = {
        (label, layer): scores.held_out_gap(encoder=label, layer=layer, method=DCN)
        for label in labels
        for layer in LAYERS
    }
    names = {key: f"{'trained' if labels.index(key[0]) else 'random'}_{key[1]}" for key in gaps}
    numbers: dict[str, Number] = {names[key]: gap for key, gap in gaps.items()}
    widest = max(gaps.values(), key=lambda gap: abs(gap.mean))
    numbers |= {
        **scores.num_photos(encoder=labels[0], layer=LAYERS[0], method=DCN),
        "widest": widest,
    }
    listed = "; ".join(
        f"{label} " + _listed({layer: f"{{{names[label, layer]}:+.2f}}" for layer in LAYERS})
        for label in labels
    )
    sentence = (
        f"PSNR on held-out minus training photos, in dB: {listed} ({{held_out_photos}} and "
        "{training_photos} photos)"
    )
    decision = all_of(*(is_within(gap, SAME_DB, over="photos") for gap in gaps.values()))
    brief = (
        "held-out minus training photos: {widest:+.2f} dB where they differ most (n = "
        "{held_out_photos} and {training_photos})"
    )
    return AGREE.finding(sentence, decision, numbers, brief=brief)


def _lower(scores: Scores, random: str, trained: str, method: str) -> Finding:
    fields = {"method": method, "photos": "held-out"}
    decibels = {x: scores.compare("psnr", random, trained, layer=x, **fields) for x in LAYERS}
    losses = {x: scores.compare("mse", random, trained, layer=x, **fields) for x in LAYERS}
    numbers: dict[str, Number] = {}
    for layer in LAYERS:
        numbers[f"{layer}_loss"] = losses[layer].over_networks
        numbers[f"{layer}_psnr"] = decibels[layer].over_networks
        numbers[f"{layer}_psnr_photos"] = decibels[layer].over_photos
    numbers |= _counts(scores, random, trained)
    sentence = (
        f"{method}, loss on random minus loss on trained features in grey levels², intervals over "
        f"networks: {_listed({x: f'{{{x}_loss:+.0f}}' for x in LAYERS})}; PSNR in dB "
        f"{_listed({x: f'{{{x}_psnr:+.2f}}' for x in LAYERS})}; PSNR with intervals over photos "
        f"{_listed({x: f'{{{x}_psnr_photos:+.2f}}' for x in LAYERS})}{_COUNTED}"
    )
    brief = (
        f"{method}, loss on random minus loss on trained features in grey levels², over networks: "
        f"{_listed({x: f'{{{x}_loss:+.0f}}' for x in LAYERS})}{_COUNTED_NETWORKS}"
    )
    decision = all_of(*(is_below(losses[x].over_networks) for x in LAYERS))
    return LOWER[method].finding(sentence, decision, numbers, brief=brief)


def _with_rates(finding: Finding, tuned: Mapping[str, Sequence[Tuned]]) -> Finding:
    """With the learning rates of either kind at each layer."""
    numbers, listed = dict(finding.numbers), []
    for index, name in enumerate(("random", "trained")):
        numbers |= {f"{layer}_{name}_rate": row[index].rate for layer, row in tuned.items()}
        listed.append(f"{name} {_listed({x: f'{{{x}_{name}_rate:g}}' for x in tuned})}")
    where = place([found for row in tuned.values() for found in row])
    text = f"; learning rates {'; '.join(listed)}, {where}"
    return replace(finding, sentence=finding.sentence + text, numbers=numbers)


def _steeper(scores: Scores, random: str, trained: str, method: str) -> Finding:
    fields = {"method": method, "photos": "held-out"}
    loss = scores.compare_slopes("mse", LAYERS, random, trained, **fields)
    numbers: dict[str, Number] = {
        "gap": loss.over_networks,
        "gap_photos": loss.over_photos,
        "gap_psnr": scores.compare_slopes("psnr", LAYERS, random, trained, **fields).over_networks,
        **{
            name: mean_interval(scores.slopes("mse", LAYERS, "networks", encoder=label, **fields))
            for name, label in (("random", random), ("trained", trained))
        },
        **_counts(scores, random, trained),
    }
    sentence = (
        f"{method}, growth of the loss per layer in grey levels²: random {{random:.0f}}, trained "
        "{trained:.0f}; difference {gap:+.0f} over networks and {gap_photos:+.0f} over photos, in "
        f"PSNR {{gap_psnr:+.2f}} dB over networks{_COUNTED}"
    )
    brief = (
        f"{method}, random minus trained, growth per layer: {{gap:+.0f}} grey levels²"
        f"{_COUNTED_NETWORKS}"
    )
    return STEEPER[method].finding(sentence, is_below(loss.over_networks), numbers, brief=brief)


_COUNTED_NETWORKS = " ({random_networks} and {trained_networks} networks)"
_COUNTED = " ({random_networks} and {trained_networks} networks, {photos} photos)"


def _counts(scores: Scores, random: str, trained: str) -> Mapping[str, int]:
    fields = {"layer": LAYERS[0], "method": DCN, "photos": "held-out"}
    return {
        "random_networks": len(scores.select(encoder=random, **fields)),
        "trained_networks": len(scores.select(encoder=trained, **fields)),
        "photos": len(scores.over_photos("mse", encoder=random, **fields)),
    }


def _listed(by_layer: Mapping[str, str]) -> str:
    return ", ".join(f"{layer.capitalize()} {text}" for layer, text in by_layer.items())
