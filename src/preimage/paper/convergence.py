"""Figure 2a: how fast DCNs learn from random features, from trained ones, and from AlexNet's."""

from collections.abc import Sequence
from statistics import fmean

from preimage.paper.decision import is_below
from preimage.paper.decoder_draw import with_files
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.loss_curves import LossCurve, by_name, save_curves, steps_to, train_curves
from preimage.paper.options import FigureOptions
from preimage.paper.trainings import NO_TRAINED, Arm, Trainings
from preimage.paper.trainings_cost import cost_text
from preimage.scores.statistics import difference, mean_interval

LAYER = "conv2"
SPEED = Claim(
    "fig2a_speed",
    "fig2a",
    "Figure 2a: how soon training reaches a fixed loss",
    "On random features training converges much more quickly than on pre-trained ones.",
)
FINAL = Claim(
    "fig2a_loss",
    "fig2a",
    "Figure 2a: the loss at the end of training",
    "On random features training ends at a slightly lower loss than on pre-trained ones.",
)
CLEAREST = Claim(
    "fig2a_vgg",
    "fig2a",
    "Figure 2a: random against pre-trained, VGG and AlexNet",
    "Random and pre-trained features differ most clearly on VGG.",
)
ALEXNET = Claim(
    "fig2a_alexnet",
    "fig2a",
    "Figure 2a: VGG against AlexNet",
    "The loss is far lower on VGG's features than on AlexNet's.",
)
#: Steps are counted to the higher of the two final losses; 2 % more, so that noise does not decide.
LEVEL = 1.02


def run(options: FigureOptions) -> list[Finding]:
    """Trains what is missing; the curves, and what they say.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(options)
    curves = train_curves(trainings, _arms(trainings))
    raw, tuned = [curve for curve in curves if not curve.scaled], best_rates(curves)
    panels = {
        "features as they are": raw,
        "features divided by one constant, best learning rate": tuned,
    }
    files = save_curves(trainings, LAYER, panels, curves)
    random, *trained, alexnet = dict.fromkeys(curve.name for curve in tuned)
    findings = [_alexnet(tuned, random, alexnet)]
    if trained:
        findings += [_speed(tuned, random, trained[0]), _final(tuned, random, trained[0])]
    else:
        findings += [SPEED.absent(NO_TRAINED), FINAL.absent(NO_TRAINED)]
    findings.append(CLEAREST.absent("not measured: no pre-trained AlexNet of the paper's kind"))
    return with_files(findings, files, trainings.preset.steps, trainings.seconds)


def cost(options: FigureOptions) -> str:
    """What the trainings take."""
    trainings = Trainings(options)
    return cost_text(trainings, [arm for *_, arm in _arms(trainings)])


def _arms(trainings: Trainings) -> list[tuple[str, int, Arm]]:
    """Features as they are at the preset's rate; divided by one constant at each of the rates."""
    networks = trainings.num_networks
    kinds = [*trainings.encoders(LAYER, networks), trainings.alexnets(LAYER, networks)]
    return [
        (kind.label, number, arm)
        for kind in kinds
        for number, encoder in enumerate(kind.networks)
        for arm in (
            Arm(encoder, feature_scaling=False),
            *(
                Arm(encoder, feature_scaling=True, learning_rate=rate)
                for rate in trainings.preset.rates or (None,)
            ),
        )
    ]


def best_rates(curves: Sequence[LossCurve]) -> list[LossCurve]:
    """Of the curves with scaled features, for each name those of the rate that ends lowest."""
    scaled = [curve for curve in curves if curve.scaled]
    best = []
    for name in dict.fromkeys(curve.name for curve in scaled):
        ends: dict[float, list[float]] = {}
        for curve in scaled:
            if curve.name == name:
                ends.setdefault(curve.rate, []).append(curve.final)
        rate = min(ends, key=lambda rate: fmean(ends[rate]))
        best += [curve for curve in scaled if (curve.name, curve.rate) == (name, rate)]
    return best


def _speed(tuned: Sequence[LossCurve], random: str, trained: str) -> Finding:
    ends = by_name(tuned, lambda curve: curve.final)
    level = LEVEL * max(fmean(ends[name]) for name in (random, trained))
    # A curve that never gets there counts with all its steps.
    steps = by_name(tuned, lambda c: float(steps_to(c.losses, level) or len(c.losses)))
    gap = difference(steps[random], steps[trained])
    numbers: dict[str, Number] = {
        "level": level,
        "random": mean_interval(steps[random]),
        "trained": mean_interval(steps[trained]),
        "gap": gap,
        "random_networks": len(steps[random]),
        "trained_networks": len(steps[trained]),
    }
    sentence = (
        "{random:.0f} steps to a loss of {level:.0f} grey levels² on random features, "
        "{trained:.0f} on trained ones: {gap:+.0f} steps "
        "({random_networks} and {trained_networks} networks)"
    )
    brief = "random minus trained: {gap:+.0f} steps to {level:.0f} grey levels²"
    return SPEED.finding(sentence, is_below(gap), numbers, brief=brief)


def _final(tuned: Sequence[LossCurve], random: str, trained: str) -> Finding:
    return _compared(FINAL, tuned, random, trained, "random features", "trained ones")


def _alexnet(tuned: Sequence[LossCurve], vgg: str, alexnet: str) -> Finding:
    return _compared(ALEXNET, tuned, vgg, alexnet, "random VGG16's features", "random AlexNet's")


def _compared(
    claim: Claim, tuned: Sequence[LossCurve], one: str, other: str, here: str, there: str
) -> Finding:
    """Whether the encoders named `one` end at a lower loss than those named `other`."""
    ends = by_name(tuned, lambda curve: curve.final)
    rates = {curve.name: curve.rate for curve in tuned}
    gap = difference(ends[one], ends[other])
    numbers: dict[str, Number] = {
        "one": mean_interval(ends[one]),
        "other": mean_interval(ends[other]),
        "one_rate": rates[one],
        "other_rate": rates[other],
        "gap": gap,
        "one_networks": len(ends[one]),
        "other_networks": len(ends[other]),
    }
    sentence = (
        f"{{one:.0f}} grey levels² on {here}, {{other:.0f}} on {there}: {{gap:+.0f}} "
        "(learning rates {one_rate:g} and {other_rate:g}; {one_networks} and {other_networks} "
        "networks)"
    )
    brief = f"{{one:.0f}} grey levels² on {here}, {{other:.0f}} on {there}"
    return claim.finding(sentence, is_below(gap), numbers, brief=brief)
