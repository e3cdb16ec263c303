"""Learning rates against their closed forms; the paper's numbers; what a recipe refuses."""

from math import cos, pi
from typing import Any

import pytest

from preimage.decoders.recipes import CLASSIFIER_RECIPE, DECODER_RECIPES, Recipe


def test_multistep_halves_at_three_edges() -> None:
    recipe = Recipe(steps=200, learning_rate=0.8)
    rates = [recipe.learning_rate_at(step) for step in range(200)]
    assert rates == [0.8] * 100 + [0.4] * 50 + [0.2] * 30 + [0.1] * 20


def test_cosine_after_a_linear_warmup() -> None:
    """Five steps up, 1/6 of the rate each; then (1 + cos π t/95)/2 of it for t = 0, 1, …, 94."""
    recipe = Recipe(steps=100, learning_rate=0.6, schedule="cosine", warmup=0.05)
    rates = [recipe.learning_rate_at(step) for step in range(100)]
    assert rates[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert rates[5:] == pytest.approx([0.3 * (1 + cos(pi * t / 95)) for t in range(95)])


@pytest.mark.parametrize("recipe", [DECODER_RECIPES["quick"], CLASSIFIER_RECIPE])
def test_shipped_cosines_rise_and_fall(recipe: Recipe) -> None:
    rates = [recipe.learning_rate_at(step) for step in range(recipe.steps)]
    peak = rates.index(max(rates))
    assert peak == round(recipe.warmup * recipe.steps)
    assert rates[peak] == recipe.learning_rate
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0 < rates[0] < recipe.learning_rate / 100
    # one step before the end, cos(π − ε) = −1 + ε²/2 with ε = π / (steps after the warm-up)
    last = recipe.learning_rate * (pi / (recipe.steps - peak)) ** 2 / 4
    assert rates[-1] == pytest.approx(last, rel=1e-3)


def test_the_papers_recipe() -> None:
    """Section 3: Adam 0.9/0.999, batch 32, 1e-4, multistep, 4e-4, 200,000 steps, 227 from 256."""
    paper = DECODER_RECIPES["paper"]
    assert (paper.steps, paper.batch_size, paper.learning_rate) == (200_000, 32, 1e-4)
    assert (paper.beta1, paper.beta2, paper.weight_decay) == (0.9, 0.999, 4e-4)
    assert (paper.schedule, paper.warmup, paper.resize, paper.crop) == ("multistep", 0, 256, 227)
    assert (paper.precision, paper.feature_scaling, paper.flip) == ("fp32", False, False)
    rates = [paper.learning_rate_at(s) for s in (0, 99_999, 100_000, 150_000, 180_000)]
    assert rates == pytest.approx([1e-4, 1e-4, 5e-5, 2.5e-5, 1.25e-5])


def test_changes_leave_out_what_is_none() -> None:
    recipe = DECODER_RECIPES["quick"]
    assert recipe.changed(steps=None, crop=None) == recipe
    changed = recipe.changed(steps=5, feature_scaling=False, crop=None)
    assert (changed.steps, changed.feature_scaling, changed.crop) == (5, False, 64)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": 0.0}, "`learning_rate` must be a number above 0, got 0.0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be a number above 0, got nan"),
        ({"steps": 0}, "`steps` must be an integer from 1 on, got 0"),
        ({"batch_size": -1}, "`batch_size` must be an integer from 1 on, got -1"),
        ({"warmup": 1.0}, "`warmup` must be a number from 0 below 1, got 1.0"),
        ({"resize": 200}, "`resize` must be 0 or no smaller than `crop`, 227, got 200"),
        ({"schedule": "step"}, "`schedule` must be one of multistep, cosine, got 'step'"),
        ({"precision": "fp16"}, "`precision` must be one of auto, fp32, bf16, got 'fp16'"),
    ],
)
@pytest.mark.usefixtures("no_hint_checks")
def test_impossible_numbers_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        Recipe(**{"steps": 10, **values})
