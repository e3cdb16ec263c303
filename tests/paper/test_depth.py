"""Figure 3a: its numbers are recomputed from the table; one verdict per statement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from trained_figures import Workplace, paired, parts, welch

from preimage.decoders.options import EncoderOptions
from preimage.network.architectures import LAYERS
from preimage.paper import depth
from preimage.paper.arms import Arm, Encoders
from preimage.paper.decoder_scores import DCN, LEAST_SQUARES, PHOTOS, Score, Scores
from preimage.paper.depth import _agree, _lower, _steeper
from preimage.paper.loss_curves import LossCurve
from preimage.paper.presets import PRESETS
from preimage.paper.trainings import Trainings
from preimage.paper.tuning import Tuned

Kinds = Mapping[str, Sequence[Encoders]]
Table = dict[tuple[str, str, str, str], np.ndarray]


def by_network(rows: list[dict[str, str]], metric: str) -> Table:
    """(encoder, method, photos, layer) → (networks, photos)."""
    found: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for row in rows:
        key = (row["encoder"], row["method"], row["photos"], row["layer"])
        found.setdefault(key, {}).setdefault(row["network"], []).append(float(row[metric]))
    return {key: np.array(list(networks.values())) for key, networks in found.items()}  # type: ignore[misc]


@pytest.mark.slow
def test_figure_3a(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "quick", replace(PRESETS["quick"], rates=()))  # no grid
    findings, rows = workplace.run("fig3a")
    _, rates = findings["fig3a_lower"].ours.split("learning rates ")
    assert rates.startswith("random Conv1 0.002, Conv2 0.002, ")
    assert "Conv5 0.002; trained Conv1 0.002, " in rates
    assert ", not tuned; decoders trained for 4 steps" in rates
    mse, psnr = by_network(rows, "mse"), by_network(rows, "psnr")
    random, trained = "VGG16 random", "VGG16 trained here"
    for method, suffix in ((DCN, ""), (LEAST_SQUARES, "_least_squares")):
        lower = findings[f"fig3a_lower{suffix}"].numbers
        for layer in LAYERS:
            a, b = (mse[name, method, "held-out", layer] for name in (random, trained))
            assert a.shape == b.shape == (2, 3)
            assert parts(lower[f"{layer}_loss"]) == pytest.approx(welch(a.mean(1), b.mean(1)))
            a, b = (psnr[name, method, "held-out", layer] for name in (random, trained))
            expected = paired(a.mean(0), b.mean(0))
            assert parts(lower[f"{layer}_psnr_photos"]) == pytest.approx(expected)
        slopes = [
            np.polyfit(range(5), [mse[name, method, "held-out", x].mean(1) for x in LAYERS], 1)[0]
            for name in (random, trained)
        ]
        steeper = findings[f"fig3a_depth{suffix}"].numbers
        assert parts(steeper["gap"]) == pytest.approx(welch(*slopes))
        assert parts(steeper["random"])[0] == pytest.approx(np.mean(slopes[0]))
    agree = findings["fig3a_photos"].numbers
    for kind, name in (("random", random), ("trained", trained)):
        training, held_out = (psnr[name, DCN, photos, "conv5"].mean(0) for photos in PHOTOS)
        assert parts(agree[f"{kind}_conv5"]) == pytest.approx(welch(held_out, training))


def scores(random: np.ndarray, trained: np.ndarray) -> Scores:
    """Of losses (networks, layers), on four photos that hardly differ; PSNR is minus the loss."""
    spread = np.array([-0.03, -0.01, 0.01, 0.03])
    found = []
    for name, losses in (("random", random), ("trained", trained)):
        for network, of_layers in enumerate(losses):
            for layer, loss in zip(LAYERS, of_layers, strict=True):
                values = (loss + spread).tolist()
                both = {"mse": values, "psnr": [-value for value in values]}
                found += [Score(name, network, layer, DCN, photos, both) for photos in PHOTOS]
    return Scores(found)


NOISE = np.array([[0.0], [0.1], [-0.1]])
SHALLOW = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def test_each_statement_has_its_verdict() -> None:
    """Random always lower, but no less steep: the second statement holds and the third fails."""
    s = scores(SHALLOW + NOISE, SHALLOW * 0.5 + 6 + NOISE[:2])
    assert _agree(s, ["random", "trained"]).verdict == "holds"
    assert _lower(s, "random", "trained", DCN).verdict == "holds"
    steeper = _steeper(s, "random", "trained", DCN)
    assert steeper.verdict == "fails"
    assert parts(steeper.numbers["gap"])[0] == pytest.approx(0.5)


def test_one_layer_that_cannot_be_told_leaves_the_statement_open() -> None:
    """At Conv3 the networks differ too much from each other."""
    noise = np.tile(NOISE, 5)
    noise[:, 2] = (0, 9, -9)
    finding = _lower(scores(SHALLOW + noise, SHALLOW + 3 + NOISE[:2]), "random", "trained", DCN)
    assert finding.verdict == "not decided"
    assert "(3 and 2 networks)" in finding.in_brief
    assert finding.verdict_text.endswith(" networks of each kind)")
    assert (finding.numbers["random_networks"], finding.numbers["trained_networks"]) == (3, 2)


def test_one_network_decides_nothing_about_networks() -> None:
    s = scores(SHALLOW[None], SHALLOW[None] * 3)
    assert _lower(s, "random", "trained", DCN).verdict == "not decided"
    assert _steeper(s, "random", "trained", DCN).verdict == "not decided"


def test_each_kind_is_trained_at_its_own_rate(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in for the grid, whose best rates differ between kinds and layers."""
    best = {"conv4": 5e-4, "conv5": 5e-4}
    asked = {}

    def tuned(trainings: Trainings, kind: Encoders, networks: int) -> Tuned:
        layer = kind.networks[0].spec.layer
        rate = 4e-3 if "trained" in kind.label else best.get(layer, 2e-3)
        curve = LossCurve(kind.label, 0, True, rate, [1.0])
        return Tuned(rate, [curve], [curve], [Arm(e, learning_rate=rate) for e in kind.networks])

    def scored(_: Trainings, kinds: Kinds, arm: Callable[[EncoderOptions], Arm]) -> Scores:
        for layer, of_layer in kinds.items():
            for kind in of_layer:
                asked[layer, kind.label] = {arm(e).learning_rate for e in kind.networks}
        raise InterruptedError

    monkeypatch.setattr(depth, "tune", tuned)
    monkeypatch.setattr(depth, "score_decoders", scored)
    with pytest.raises(InterruptedError):
        depth.run(workplace.options("fig3a"))
    assert asked["conv5", "VGG16 random"] == {5e-4}
    assert asked["conv1", "VGG16 random"] == {2e-3}
    assert asked["conv5", "VGG16 trained here"] == {4e-3}
