"""`preimage reproduce fig2a|fig2b|fig2c`: how fast DCNs learn from different features."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from preimage.data.records import output_folder
from preimage.paper.decoder_draw import LossPanel, draw_losses
from preimage.paper.draw import save_figure
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import FigureOptions
from preimage.paper.tables import write_rows
from preimage.paper.trainings import Encoders, Outcome, Trainings, smooth, steps_to
from preimage.paper.trainings_cost import figure_cost
from preimage.scores.statistics import difference

LAYER = "conv2"
SIGMAS = (0.005, 0.015, 0.05, 0.1, 1.0)
LAWS = {
    "N(0, 0.015)": "gaussian:0.015",
    "Uniform [−0.04, 0.04)": "uniform:0.04",
    "Logistic(0, 0.015)": "logistic:0.015",
    "Laplace(0, 0.015)": "laplace:0.015",
}
_ALIKE = 0.1  # final losses within so much of each other are "alike"


def run(config: FigureOptions) -> list[Finding]:
    """The figure's trainings, its curves and what they say.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(config)
    arms = _ARMS[config.figure](trainings)
    outcomes = [(arm, trainings.train(words)) for arm, words in arms]
    return [{"fig2a": _fig2a, "fig2b": _fig2b, "fig2c": _fig2c}[config.figure](trainings, outcomes)]


def cost(config: FigureOptions) -> str:
    """What the figure's trainings take."""
    trainings = Trainings(config)
    return figure_cost(trainings, [words for _, words in _ARMS[config.figure](trainings)])


@dataclass(frozen=True)
class Arm:
    """A curve: its name, its panel, and what tells it from others of that name."""

    name: str
    scaled: bool
    rate: float | None = None
    number: int = 0


Arms = list[tuple[Arm, Mapping[str, Any]]]
Outcomes = list[tuple[Arm, Outcome]]


# --- Figure 2a: random against trained features -------------------------------------------------


def _arms_2a(trainings: Trainings) -> Arms:
    kinds, _ = trainings.encoders()
    alexnet = {"weights": "gaussian:0.015", "architecture": "alexnet", "slope": 0.0}
    kinds.append(Encoders("AlexNet random", (alexnet,)))
    arms: Arms = []
    for kind in kinds:
        for number, words in enumerate(kind.networks):
            shared = {**words, "layer": LAYER}
            arms.append(
                (Arm(kind.label, False, None, number), {**shared, "feature_scaling": False})
            )
            for rate in trainings.preset["rates"] or (None,):
                extra = {"feature_scaling": True, "learning_rate": rate}
                arms.append((Arm(kind.label, True, rate, number), {**shared, **extra}))
    return arms


def _fig2a(trainings: Trainings, outcomes: Outcomes) -> Finding:
    best = {
        name: _best_rate(name, outcomes) for name in dict.fromkeys(arm.name for arm, _ in outcomes)
    }
    tuned = [(arm, o) for arm, o in outcomes if arm.scaled and arm.rate == best[arm.name]]
    raw = [(arm, o) for arm, o in outcomes if not arm.scaled]
    title = "features divided by one constant; the best of the learning rates"
    panels = [_panel("features as they are", raw), _panel(title, tuned)]
    final = _by_name(tuned, lambda losses: smooth(losses)[-1])
    _, absent = trainings.encoders()
    level = 1.02 * max(fmean(values) for name, values in final.items() if "AlexNet" not in name)
    steps = _by_name(tuned, lambda losses: float(steps_to(losses, level) or len(losses)))
    rates = {name: f" at rate {rate:g}" if rate else "" for name, rate in best.items()}
    words = [
        f"{name}: final {fmean(final[name]):.0f} grey levels²{rates[name]}, "
        f"{fmean(steps[name]):.0f} steps to {level:.0f}"
        for name in final
    ]
    trained = next((name for name in final if "random" not in name), None)
    agrees = None
    if trained:
        loss = difference(final["VGG16 random"], final[trained])
        speed = difference(steps["VGG16 random"], steps[trained])
        words.append(
            f"random less trained: final loss {loss.mean:+.1f} ± "
            f"{loss.half_width:.1f}, steps {speed.mean:+.0f} ± {speed.half_width:.0f} "
            f"(95 %, n = {len(final['VGG16 random'])} and {len(final[trained])} networks)"
        )
        agrees = {-2: True, 2: False}.get(loss.sign + speed.sign)
    statement = (
        "on random features training converges much more quickly and to a slightly lower loss, "
        "most clearly on VGG; VGG far lower than AlexNet"
    )
    return _finish(trainings, outcomes, panels, statement, words, agrees, absent, not trained)


def _best_rate(name: str, outcomes: Outcomes) -> float | None:
    """The learning rate of the least mean final loss."""
    finals: dict[float | None, list[float]] = {}
    for arm, outcome in outcomes:
        if arm.name == name and arm.scaled:
            finals.setdefault(arm.rate, []).append(smooth(outcome.losses)[-1])
    return min(finals, key=lambda rate: fmean(finals[rate]))


# --- Figures 2b, 2c: scale and law of the weights -----------------------------------------------


def _arms_2b(trainings: Trainings) -> Arms:
    return [
        (
            Arm(f"N(0, {sigma:g})", scaled),
            {
                "weights": f"gaussian:{sigma:g}",
                "layer": LAYER,
                "feature_scaling": scaled,
                "precision": "fp32",  # so that curves can coincide to float32's rounding
            },
        )
        for scaled in (False, True)
        for sigma in SIGMAS
    ]


def _fig2b(trainings: Trainings, outcomes: Outcomes) -> Finding:
    raw = [(arm, o) for arm, o in outcomes if not arm.scaled]
    scaled = [(arm, o) for arm, o in outcomes if arm.scaled]
    panels = [
        _panel("features as they are", raw),
        _panel("features divided by one constant", scaled),
    ]
    first = {arm.name: outcome.losses[0] for arm, outcome in raw}
    last = {arm.name: smooth(outcome.losses)[-1] for arm, outcome in raw}
    apart = max(
        abs(a / b - 1)
        for _, outcome in scaled[1:]
        for a, b in zip(outcome.losses, scaled[0][1].losses, strict=True)
    )
    words = [
        "as they are: "
        + ", ".join(f"{name} from {first[name]:.3g} to {last[name]:.4g}" for name in first)
        + " grey levels²",
        f"divided by one constant the curves differ by at most {apart:.1e} of the loss",
        f"least loss as they are: {min(last, key=lambda name: last[name])}",
    ]
    together = max(last.values()) < (1 + _ALIKE) * min(last.values())
    starts_differ = max(first.values()) > 2 * min(first.values())
    statement = "σ changes the initial loss; the curves come together at one magnitude"
    return _finish(
        trainings, outcomes, panels, statement, words, starts_differ and together, [], False
    )


def _arms_2c(trainings: Trainings) -> Arms:
    return [
        (Arm(name, False), {"weights": law, "layer": LAYER, "feature_scaling": False})
        for name, law in LAWS.items()
    ]


def _fig2c(trainings: Trainings, outcomes: Outcomes) -> Finding:
    last = {arm.name: smooth(outcome.losses)[-1] for arm, outcome in outcomes}
    spread = max(last.values()) / min(last.values()) - 1
    words = [
        ", ".join(f"{name} {loss:.1f}" for name, loss in last.items()) + " grey levels²",
        f"the highest is {100 * spread:.1f} % above the lowest (one network each)",
    ]
    panels = [_panel("four laws, features as they are", outcomes)]
    statement = "the four laws end alike"
    return _finish(trainings, outcomes, panels, statement, words, spread < _ALIKE, [], False)


# --- shared -------------------------------------------------------------------------------------


def _by_name(outcomes: Outcomes, measure: Callable[[list[float]], float]) -> dict[str, list[float]]:
    """A number of each network's losses, by the name of its curve."""
    found: dict[str, list[float]] = {}
    for arm, outcome in outcomes:
        found.setdefault(arm.name, []).append(measure(outcome.losses))
    return found


def _panel(title: str, outcomes: Outcomes) -> LossPanel:
    return LossPanel(title, [(arm.name, smooth(o.losses)) for arm, o in outcomes])


def _finish(
    trainings: Trainings,
    outcomes: Outcomes,
    panels: Sequence[LossPanel],
    statement: str,
    words: Sequence[str],
    agrees: bool | None,
    absent: Sequence[str],
    undecidable: bool,
) -> Finding:
    config = trainings.config
    folder = output_folder(config.out)
    crop = outcomes[0][1].inverter.card["training"]["recipe"]["crop"]
    rows = [
        {
            "encoder": arm.name,
            "network": arm.number,
            "scaled": arm.scaled,
            "learning_rate": arm.rate or "",
            "step": step,
            "loss": loss,
        }
        for arm, outcome in outcomes
        for step, loss in enumerate(outcome.losses, start=1)
    ]
    table = write_rows(folder / f"{config.figure}.csv", rows)
    steps, batch = len(outcomes[0][1].losses), trainings.training({}).recipe.batch_size
    missing = f"; absent: {', '.join(absent)}" if absent else ""
    heading = (
        f"{LAYER.capitalize()}-De{LAYER.capitalize()}, {steps:,} steps of {batch} crops of "
        f"{crop}×{crop}{missing}"
    )
    picture = save_figure(draw_losses(panels, heading), folder / f"{config.figure}.png").name
    claim = Claim(
        config.figure,
        config.figure,
        f"Figure {config.figure.removeprefix('fig')}: loss against steps",
        statement,
    )
    ours = "; ".join([*words, *(f"{name}: absent" for name in absent)])
    if undecidable:
        return replace(claim.absent(ours), pictures=(picture,), tables=(table,))
    return claim.finding("{ours}", agrees, {"ours": ours}, pictures=(picture,), tables=(table,))


_ARMS = {"fig2a": _arms_2a, "fig2b": _arms_2b, "fig2c": _arms_2c}
