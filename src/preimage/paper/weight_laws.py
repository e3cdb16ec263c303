"""Figures 2b and 2c: training on random features of Conv2, by the scale and the law of the weights.

Every comparison is between networks of one number: in Figure 2b by log₁₀ of a ratio of losses,
which span orders of magnitude, in Figure 2c in percent.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import log10
from statistics import fmean

from preimage.paper.arms import Arm
from preimage.paper.decision import all_of, is_above, is_within, opposite
from preimage.paper.decoder_draw import with_files
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.loss_curves import (
    LossCurve,
    by_name,
    percent_above,
    save_curves,
    train_curves,
)
from preimage.paper.options import FigureOptions
from preimage.paper.trainings import Trainings
from preimage.paper.trainings_cost import TrainingsCost, trainings_cost
from preimage.scores.statistics import Interval, mean_interval, paired_difference

LAYER = "conv2"
SIGMAS = (0.005, 0.015, 0.05, 0.1, 1.0)
PAPER_SIGMA = "N(0, 0.015)"
LAWS = {
    PAPER_SIGMA: "gaussian:0.015",
    "Uniform [−0.04, 0.04)": "uniform:0.04",
    "Logistic(0, 0.015)": "logistic:0.015",
    "Laplace(0, 0.015)": "laplace:0.015",
}
SLOPE = 0.2  # the paper's leaky ReLU; no pre-trained network is compared here
#: Losses within 10 % of each other (0.4 dB) are alike: in the paper's plots, whose axis spans a
#: factor of 100, such curves coincide.
ALIKE = 10.0
#: With features divided by one constant the curves of all σ are one to rounding, at every step: so
#: many steps show it.
_SCALED_STEPS = 300
#: Initial losses that differ by a factor of two are different: they lie apart in any such plot.
TWICE = log10(2)

START = Claim(
    "fig2b_start",
    "fig2b",
    "Figure 2b: the initial loss, by the scale of the weights",
    "σ changes the initial loss.",
)
TOGETHER = Claim(
    "fig2b_end",
    "fig2b",
    "Figure 2b: the final loss, by the scale of the weights",
    "The curves of all σ come together at one magnitude.",
)
LEAST = Claim(
    "fig2b_least",
    "fig2b",
    "Figure 2b: the σ of the least loss",
    "σ of about 0.015 gives the least loss.",
)
ALL_ALIKE = Claim(
    "fig2c",
    "fig2c",
    "Figure 2c: the final loss, by the law of the weights",
    "The four laws end alike.",
)


def run(options: FigureOptions) -> list[Finding]:
    """Trains what is missing; the curves, and what they say.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(options)
    curves = train_curves(trainings, _arms(trainings))
    raw, scaled = ([c for c in curves if c.scaled is flag] for flag in (False, True))
    panels = {"features as they are": raw, "features divided by one constant": scaled}
    files = save_curves(trainings, LAYER, panels, curves)
    if options.figure == "fig2c":
        findings = [_all_alike(raw, scaled)]
    else:
        findings = [_start(raw), _together(raw, scaled), _least(raw)]
    return with_files(findings, files, trainings.preset.steps, trainings.seconds)


def cost(options: FigureOptions) -> TrainingsCost:
    """What the trainings take."""
    trainings = Trainings(options)
    return trainings_cost(trainings, [arm for *_, arm in _arms(trainings)])


def _arms(trainings: Trainings) -> list[tuple[str, int, Arm]]:
    figure_2b = trainings.options.figure == "fig2b"
    sigmas = {f"N(0, {sigma:g})": f"gaussian:{sigma:g}" for sigma in SIGMAS}
    steps = trainings.preset.steps
    scaled_steps = min(steps, _SCALED_STEPS) if figure_2b else steps
    arms = []
    for scaled in (False, True):
        for name, law in (sigmas if figure_2b else LAWS).items():
            for number in range(trainings.num_networks):
                encoder = trainings.random_encoder(LAYER, number, law=law, slope=SLOPE)
                arm = Arm(encoder, scaled, steps=scaled_steps if scaled else steps)
                arms.append((name, number, arm))
    return arms


def _start(raw: Sequence[LossCurve]) -> Finding:
    starts = by_name(raw, lambda curve: curve.losses[0])
    pairs = _apart(starts)
    numbers = {**_means(starts), "apart": pairs[0], "networks": pairs[0].n}
    sentence = (
        f"log₁₀ of the initial loss in grey levels²: {_listed(starts)}; highest minus lowest "
        "{apart:.2f} ({networks} networks each)"
    )
    brief = "log₁₀ of the highest initial loss over the lowest: {apart:.1f}"
    alike = all_of(*(is_within(pair, TWICE) for pair in pairs))
    return START.finding(sentence, opposite(alike), numbers, brief=brief)


def _together(raw: Sequence[LossCurve], scaled: Sequence[LossCurve]) -> Finding:
    ends = by_name(raw, lambda curve: curve.final)
    pairs = _apart(ends)
    numbers = {
        **_means(ends),
        "apart": pairs[0],
        "networks": pairs[0].n,
        "scaled_apart": 100 * _largest_deviation(scaled),
        "scaled_steps": len(scaled[0].losses),
    }
    sentence = (
        "without biases σ only scales the features: with features divided by one constant the "
        "curves differ by at most {scaled_apart:.1g} % in {scaled_steps:,} steps. As they are, "
        f"log₁₀ of the final loss in grey levels²: {_listed(ends)}; highest minus lowest "
        "{apart:.2f} ({networks} networks each)"
    )
    brief = (
        "with features divided by one constant the curves differ by at most {scaled_apart:.1g} %; "
        "as they are, log₁₀ of the highest final loss over the lowest: {apart:.1f}"
    )
    decision = all_of(*(is_within(pair, log10(1 + ALIKE / 100)) for pair in pairs))
    return TOGETHER.finding(sentence, decision, numbers, brief=brief)


def _least(raw: Sequence[LossCurve]) -> Finding:
    ends = by_name(raw, lambda curve: curve.final)
    above = {
        name: mean_interval([log10(a / b) for a, b in zip(values, ends[PAPER_SIGMA], strict=True)])
        for name, values in ends.items()
        if name != PAPER_SIGMA
    }
    least = min(ends, key=lambda name: fmean(ends[name]))
    numbers: dict[str, Number] = {slug(name): interval for name, interval in above.items()}
    numbers |= {"least": least, "networks": len(ends[least])}
    listed = ", ".join(f"{name} {{{slug(name)}:+.2f}}" for name in above)
    sentence = (
        f"log₁₀ of the final loss over that of {PAPER_SIGMA}: {listed} ({{networks}} networks "
        "each); the least is that of {least}"
    )
    decision = all_of(*map(is_above, above.values()))
    return LEAST.finding(sentence, decision, numbers, brief="the least loss is that of {least}")


def _all_alike(raw: Sequence[LossCurve], scaled: Sequence[LossCurve]) -> Finding:
    """The verdict is on features as they are; at one scale, only the laws' shapes differ."""
    above, at_one_scale = _above_paper(raw), _above_paper(scaled)
    ends = by_name(raw, lambda curve: curve.final)[PAPER_SIGMA]
    numbers: dict[str, Number] = {slug(name): interval for name, interval in above.items()}
    numbers |= {f"scaled_{slug(name)}": interval for name, interval in at_one_scale.items()}
    numbers |= {"gaussian": mean_interval(ends), "networks": len(ends)}
    listed, listed_scaled = (
        ", ".join(f"{name} {{{prefix}{slug(name)}:+.1f}} %" for name in above)
        for prefix in ("", "scaled_")
    )
    sentence = (
        f"{PAPER_SIGMA} ends at {{gaussian:.0f}} grey levels²; the others differ from it by "
        f"{listed} and, with features divided by one constant, by {listed_scaled} ({{networks}} "
        "networks each)"
    )
    decision = all_of(*(is_within(interval, ALIKE) for interval in above.values()))
    brief = (
        f"against {PAPER_SIGMA}: {listed}; with features divided by one constant {listed_scaled}"
    )
    return ALL_ALIKE.finding(sentence, decision, numbers, brief=brief)


def _above_paper(curves: Sequence[LossCurve]) -> dict[str, Interval]:
    """By how many percent each law ends above the paper's, network against network."""
    ends = by_name(curves, lambda curve: curve.final)
    return {
        name: mean_interval(percent_above(values, ends[PAPER_SIGMA]))
        for name, values in ends.items()
        if name != PAPER_SIGMA
    }


def _apart(values: Mapping[str, Sequence[float]]) -> list[Interval]:
    """log₁₀ of the ratio of each two, network against network; those farthest apart first."""
    logs = [[log10(x) for x in row] for row in values.values()]
    pairs = (paired_difference(*sorted(pair, key=fmean)[::-1]) for pair in combinations(logs, 2))
    return sorted(pairs, key=lambda interval: -interval.mean)


def _largest_deviation(curves: Sequence[LossCurve]) -> float:
    """Of any curve from the first of the same network at the same step, as a fraction."""
    first = {curve.network: curve.losses for curve in reversed(curves)}
    return max(
        abs(a / b - 1)
        for curve in curves
        for a, b in zip(curve.losses, first[curve.network], strict=True)
    )


def _means(values: Mapping[str, Sequence[float]]) -> dict[str, Number]:
    """Of log₁₀ of the losses."""
    return {slug(name): mean_interval([log10(x) for x in v]) for name, v in values.items()}


def _listed(values: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {{{slug(name)}:.2f}}" for name in values)


def slug(name: str) -> str:
    """The name of a law as the name of a number: `N(0, 0.015)` is `n_0_0015`."""
    words = name.lower().replace("[", " ").replace("(", " ").replace(",", " ").replace(")", " ")
    return "_".join(words.replace("−", "minus_").replace(".", "").split())
