"""Figure 2a: how fast DCNs learn from random features, from trained ones, and from AlexNet's."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from preimage.paper.arms import NAMES, NO_TRAINED, Arm, Encoders
from preimage.paper.decision import all_of, is_above, is_below
from preimage.paper.decoder_draw import with_files
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.loss_curves import LossCurve, by_name, save_curves, steps_to, train_curves
from preimage.paper.options import FigureOptions
from preimage.paper.trainings import Trainings
from preimage.paper.trainings_cost import TrainingsCost, trainings_cost
from preimage.paper.tuning import NamedArm, Tuned, place, tune, tuning_arms
from preimage.scores.statistics import contrast, difference, mean_interval

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
NO_TRAINED_ALEXNET = (
    "not measured: no trained AlexNet (preimage pretrain --architecture alexnet) was given beside "
    "a trained VGG16"
)
#: Steps are counted to the higher of the two final losses; 2 % more, so that noise does not decide.
LEVEL = 1.02


def run(options: FigureOptions) -> list[Finding]:
    """Trains what is missing; the curves, and what they say.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(options, takes=tuple(NAMES))
    kinds = _kinds(trainings)
    raw = train_curves(trainings, [arm for kind in kinds for arm in _raw_arms(kind)])
    tuned = {kind.label: tune(trainings, kind, feature_scaling=True) for kind in kinds}
    best = [curve for found in tuned.values() for curve in found.curves]
    tried = [c for found in tuned.values() for c in found.tried if c.rate != found.rate]
    panels = {
        "features as they are": raw,
        "features divided by one constant, best learning rate": best,
    }
    files = save_curves(trainings, LAYER, panels, [*raw, *best, *tried])
    vgg, *trained = (kind.label for kind in _vggs(trainings))
    alexnet, *trained_alexnet = (kind.label for kind in _alexnets(trainings))
    raw_ends = by_name(raw, lambda curve: curve.final)
    findings = [_alexnet(tuned, raw_ends, vgg, alexnet)]
    if trained:
        findings += [_speed(best, vgg, trained[0]), _final(tuned, raw_ends, vgg, trained[0])]
    else:
        findings += [SPEED.absent(NO_TRAINED), FINAL.absent(NO_TRAINED)]
    if trained and trained_alexnet:
        findings.append(_clearest(tuned, (vgg, trained[0]), (alexnet, trained_alexnet[0])))
    else:
        findings.append(CLEAREST.absent(NO_TRAINED_ALEXNET))
    return with_files(findings, files, trainings.preset.steps, trainings.seconds)


def cost(options: FigureOptions) -> TrainingsCost:
    """What the trainings take, where no grid of rates has to be widened."""
    trainings = Trainings(options, takes=tuple(NAMES))
    arms = [
        arm
        for kind in _kinds(trainings)
        for *_, arm in (
            *_raw_arms(kind),
            *tuning_arms(trainings, kind, feature_scaling=True),
        )
    ]
    return trainings_cost(trainings, arms)


Ends = Mapping[str, Sequence[float]]  # final losses of each kind


def _kinds(trainings: Trainings) -> list[Encoders]:
    return [*_vggs(trainings), *_alexnets(trainings)]


def _vggs(trainings: Trainings) -> list[Encoders]:
    return trainings.encoders(LAYER, trainings.num_networks)


def _alexnets(trainings: Trainings) -> list[Encoders]:
    return trainings.encoders(LAYER, trainings.num_networks, "alexnet")


def _raw_arms(kind: Encoders) -> list[NamedArm]:
    """Features as they are, at the preset's rate."""
    return [
        (kind.label, number, Arm(encoder, feature_scaling=False))
        for number, encoder in enumerate(kind.networks)
    ]


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
        "features divided by one constant: {random:.0f} steps to a loss of {level:.0f} grey "
        "levels² on random features, {trained:.0f} on trained ones: {gap:+.0f} steps "
        "({random_networks} and {trained_networks} networks)"
    )
    brief = (
        "features divided by one constant, random minus trained: {gap:+.0f} steps to {level:.0f} "
        "grey levels² ({random_networks} and {trained_networks} networks)"
    )
    return SPEED.finding(sentence, is_below(gap), numbers, brief=brief)


def _final(tuned: Mapping[str, Tuned], raw: Ends, random: str, trained: str) -> Finding:
    return _compared(FINAL, tuned, raw, {random: "random features", trained: "trained ones"})


def _alexnet(tuned: Mapping[str, Tuned], raw: Ends, vgg: str, alexnet: str) -> Finding:
    names = {vgg: "random VGG16's features", alexnet: "random AlexNet's"}
    return _compared(ALEXNET, tuned, raw, names)


def _clearest(
    tuned: Mapping[str, Tuned], vgg: tuple[str, str], alexnet: tuple[str, str]
) -> Finding:
    """Whether the losses of random and trained features lie further apart on VGG16 than on AlexNet.

    In squared grey levels, which the paper's figure shows; whichever of AlexNet's two is the lower.
    """
    ends = {name: [c.final for c in tuned[name].curves] for name in (*vgg, *alexnet)}
    low, high = sorted((ends[name] for name in vgg), key=fmean)
    one, other = (ends[name] for name in alexnet)
    wider = [contrast([high, a], [low, b]) for a, b in ((one, other), (other, one))]
    numbers: dict[str, Number] = {
        "vgg": difference(ends[vgg[0]], ends[vgg[1]]),
        "alexnet": difference(one, other),
        "wider": min(wider, key=lambda found: found.mean),
        "vgg_percent": _percent(low, high),
        "alexnet_percent": _percent(one, other),
        "networks": " and ".join(str(len(ends[name])) for name in vgg),
        "alexnets": " and ".join(str(len(ends[name])) for name in alexnet),
    }
    measured = (
        "features divided by one constant, loss on random minus loss on trained features: VGG16 "
        "{vgg:+.0f} grey levels² ({networks} networks), AlexNet {alexnet:+.0f} ({alexnets}), which "
        "is {vgg_percent:.0f} and {alexnet_percent:.0f} % of the higher loss"
    )
    return CLEAREST.finding(
        f"{measured}; the gap of VGG16 minus that of AlexNet: {{wider:+.0f}} (learning rates "
        f"{place([tuned[name] for name in (*vgg, *alexnet)])})",
        all_of(*(is_above(found) for found in wider)),
        numbers,
        brief=measured,
    )


def _percent(values: Sequence[float], others: Sequence[float]) -> float:
    """How far apart their means are, in per cent of the higher one."""
    low, high = sorted((fmean(values), fmean(others)))
    return 100 * (1 - low / high)


def _compared(
    claim: Claim, tuned: Mapping[str, Tuned], raw: Ends, names: Mapping[str, str]
) -> Finding:
    """Whether the first of two kinds of encoders ends at a lower loss than the second."""
    one, other = names
    ends = {name: [curve.final for curve in tuned[name].curves] for name in names}
    gap = difference(ends[one], ends[other])
    numbers: dict[str, Number] = {
        "one": mean_interval(ends[one]),
        "other": mean_interval(ends[other]),
        "one_rate": tuned[one].rate,
        "other_rate": tuned[other].rate,
        "gap": gap,
        "raw_one": mean_interval(raw[one]),
        "raw_other": mean_interval(raw[other]),
        "one_networks": len(ends[one]),
        "other_networks": len(ends[other]),
    }
    where = place([tuned[one], tuned[other]])
    counted = "{one_networks} and {other_networks} networks"
    both = f"{{one:.0f}} grey levels² on {names[one]}, {{other:.0f}} on {names[other]}"
    as_they_are = "features as they are, all at one rate: {raw_one:.0f} and {raw_other:.0f}"
    sentence = (
        f"features divided by one constant: {both}: {{gap:+.0f}} (learning rates {{one_rate:g}} "
        f"and {{other_rate:g}}, {where}; {counted}); {as_they_are}"
    )
    brief = f"features divided by one constant: {both}; {as_they_are} ({counted})"
    return claim.finding(sentence, is_below(gap), numbers, brief=brief)
