"""Figure 4: what comes back from each layer of random VGG16s and AlexNets.

By decoders that are trained and by those of least squares, which are at their end by construction.
A training sees crops that hold the layer's receptive field, and deeper layers are trained for
longer, so that depth is not mixed with how far a training got: what half of the steps would have
given is measured on one network.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from preimage.data.cost import Sum
from preimage.data.photo import SIZE, Photo
from preimage.data.photos import open_photos
from preimage.decoders.options import EncoderOptions
from preimage.network.architectures import LAYERS
from preimage.network.trace import receptive_field
from preimage.paper.arms import NAMES, Arm, Encoders
from preimage.paper.decision import all_of, is_above, is_below
from preimage.paper.decoder_draw import save_files, with_files
from preimage.paper.decoder_scores import DCN, LEAST_SQUARES, METHODS, slope
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.fits_cost import fits_cost
from preimage.paper.law_pictures import VISIBLE_DB, the_cat
from preimage.paper.options import FigureOptions
from preimage.paper.pictures import Cell, Means, draw_pictures, means_of, picture_rows
from preimage.paper.trainings import Trainings
from preimage.paper.trainings_cost import trainings_cost
from preimage.scores.statistics import difference, mean_interval

VGG, ALEXNET = "VGG16", "AlexNet"
_SHORT = {"vgg": VGG, "alexnet": ALEXNET}
DECAYS = {
    DCN: Claim(
        "fig4_depth",
        "fig4",
        "Figure 4: what comes back, by layer",
        "The quality of the reconstruction decays with depth.",
    ),
    LEAST_SQUARES: Claim(
        "fig4_depth_least_squares",
        "fig4",
        "Figure 4: what comes back, by layer, decoders in closed form (ours)",
        "The quality of the reconstruction decays with depth.",
    ),
}
VGG_BETTER = {
    DCN: Claim(
        "fig4_vgg",
        "fig4",
        "Figure 4: what comes back, VGG against AlexNet",
        "VGG is better than AlexNet, even at Conv5.",
    ),
    LEAST_SQUARES: Claim(
        "fig4_vgg_least_squares",
        "fig4",
        "Figure 4: what comes back, VGG against AlexNet, decoders in closed form (ours)",
        "VGG is better than AlexNet, even at Conv5.",
    ),
}
_HELD_OUT = 2  # of these photos, beside the cat
_SIDE = 256  # of the photos that are trained on: the fields of VGG16's Conv5 are 196 pixels wide
_COARSEST = 32  # crops are a multiple of it, so that no stride leaves a rest


def run(options: FigureOptions) -> list[Finding]:
    """Trains and fits what is missing and draws what comes back.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(options, side=_SIDE)
    held_out = open_photos([options.training.held_out], SIZE)
    photos = [the_cat(options), *islice(held_out, _HELD_OUT)]
    cells, halves = _cells(trainings, photos)
    steps = trainings.preset.steps
    factors = trainings.preset.layer_steps
    longer = ", ".join(f"{x.capitalize()} {n * steps:,}" for x, n in factors.items())
    each = f"{steps:,} ({longer})" if longer else f"{steps:,}"
    heading = (
        f"Nothing of the CNN is trained; trained DCNs after {each} steps; "
        "above each picture its PSNR"
    )
    figure = draw_pictures(photos, [cell for cell in cells if cell.network == 0], heading)
    files = save_files(options, figure, picture_rows(photos, cells), dpi=100)
    means = means_of(cells)
    findings = [finding(means, method) for method in METHODS for finding in (_decays, _vgg_better)]
    findings[0] = _with_gains(findings[0], means, means_of(halves))
    closed_form = {claims[LEAST_SQUARES].name for claims in (DECAYS, VGG_BETTER)}
    return with_files(findings, files, each, trainings.seconds, closed_form)


def cost(options: FigureOptions) -> Sum:
    """What trainings and fits take."""
    trainings = Trainings(options, side=_SIDE)
    arms = [
        arm
        for _, layer, kind in _kinds(trainings)
        for number, encoder in enumerate(kind.networks)
        for arm in _arms(trainings, layer, number, encoder)
    ]
    encoders = list(dict.fromkeys(arm.encoder for arm in arms))
    fits = fits_cost(trainings, encoders, scored=False)
    return Sum([trainings_cost(trainings, arms), fits])


def _kinds(trainings: Trainings) -> list[tuple[str, str, Encoders]]:
    """Architecture, layer, random networks."""
    return [
        (name, layer, trainings.random_encoders(layer, trainings.num_networks, architecture))
        for architecture, name in NAMES.items()
        for layer in LAYERS
    ]


def _arms(trainings: Trainings, layer: str, number: int, encoder: EncoderOptions) -> list[Arm]:
    """The training of a network and, of the first, one of half the steps as well."""
    preset = trainings.preset
    field = receptive_field(encoder.description().operations)
    crop = min(trainings.side, max(preset.crop, -(-field // _COARSEST) * _COARSEST))
    # As many pixels a step as the preset's crops have, but no fewer than two photos.
    batch = max(2, round(trainings.batch_size * (preset.crop / crop) ** 2))
    steps = preset.steps * preset.layer_steps.get(layer, 1)
    rate = preset.layer_rates.get(layer)
    whole = Arm(encoder, learning_rate=rate, steps=steps, crop=crop, batch_size=batch)
    return [whole] if number else [whole, replace(whole, steps=max(1, steps // 2))]


def _cells(trainings: Trainings, photos: Sequence[Photo]) -> tuple[list[Cell], list[Cell]]:
    """Of all decoders; and of those that were trained for half of the steps."""
    cells, halves = [], []
    for name, layer, kind in _kinds(trainings):
        for number, encoder in enumerate(kind.networks):
            arms = _arms(trainings, layer, number, encoder)
            made = [trainings.train(arm).inverter for arm in arms]
            decoders = {DCN: made[0], LEAST_SQUARES: trainings.fit(encoder)}
            column = layer.capitalize()
            cells += [
                Cell.of(_row(name, method), column, number, inverter, photos)
                for method, inverter in decoders.items()
            ]
            halves += [Cell.of(_row(name, DCN), column, number, x, photos) for x in made[1:]]
    return cells, halves


def _row(architecture: str, method: str) -> str:
    return f"{architecture}, {method}"


def _decays(means: Means, method: str) -> Finding:
    rows = {short: means[_row(name, method)] for short, name in _SHORT.items()}
    slopes = {
        short: mean_interval([slope(values) for values in zip(*row.values(), strict=True)])
        for short, row in rows.items()
    }
    numbers: dict[str, Number] = {**slopes, "networks": slopes["vgg"].n}
    listed = []
    for short, row in rows.items():
        numbers |= {f"{short}_{x.lower()}": mean_interval(v) for x, v in row.items()}
        layers = ", ".join(f"{x} {{{short}_{x.lower()}:.1f}}" for x in row)
        listed.append(f"random {_SHORT[short]} {layers} dB, {{{short}:+.2f}} dB per layer")
    sentence = f"{method}, PSNR {'; '.join(listed)} ({{networks}} networks each)"
    brief = f"{method}: VGG16 {{vgg:+.1f}} dB per layer, AlexNet {{alexnet:+.1f}}"
    decision = all_of(*map(is_below, slopes.values()))
    return DECAYS[method].finding(sentence, decision, numbers, brief=brief)


def _with_gains(finding: Finding, means: Means, halves: Means) -> Finding:
    """With what the second half of the steps brought to the first networks, in dB."""
    numbers, listed = dict(finding.numbers), []
    for short, name in _SHORT.items():
        row = _row(name, DCN)
        gains = {layer: means[row][layer][0] - values[0] for layer, values in halves[row].items()}
        numbers |= {f"{short}_gain_{layer.lower()}": gain for layer, gain in gains.items()}
        named = ", ".join(f"{{{short}_gain_{layer.lower()}:+.1f}}" for layer in gains)
        listed.append(f"{name} {named}")
    text = (
        f"; of twice the steps, the later half brought {', '.join(listed)} dB from Conv1 to Conv5"
    )
    return replace(finding, sentence=finding.sentence + text, numbers=numbers)


def _vgg_better(means: Means, method: str) -> Finding:
    vgg, alexnet = (means[_row(name, method)] for name in _SHORT.values())
    gaps = {layer: difference(values, alexnet[layer]) for layer, values in vgg.items()}
    numbers: dict[str, Number] = {layer.lower(): gap for layer, gap in gaps.items()}
    numbers["networks"] = len(vgg["Conv1"])
    listed = ", ".join(f"{layer} {{{layer.lower()}:+.1f}}" for layer in gaps)
    sentence = (
        f"{method}, PSNR of VGG16 minus AlexNet, in dB: {listed} ({{networks}} networks each); "
        "less than {visible:g} dB is not seen"
    )
    numbers["visible"] = VISIBLE_DB
    decision = all_of(*(is_above(gap, VISIBLE_DB) for gap in gaps.values()))
    brief = (
        f"{method}, VGG16 minus AlexNet: {listed} dB, less than {{visible:g}} dB counting as none"
    )
    return VGG_BETTER[method].finding(sentence, decision, numbers, brief=brief)
