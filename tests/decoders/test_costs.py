"""What a run takes, counted by hand; its precision is the one that the run would take."""

from pathlib import Path

import pytest

from preimage.decoders import costs
from preimage.decoders.costs import training_cost
from preimage.decoders.options import MachineOptions
from preimage.decoders.recipes import Recipe
from preimage.network.architectures import vgg16

ON_CPU = MachineOptions(device="cpu")
ENCODER = vgg16().cut("conv1").with_width(2)
RECIPE = Recipe(steps=3600, batch_size=6, crop=10, precision="auto")


@pytest.fixture(autouse=True)
def times(monkeypatch: pytest.MonkeyPatch) -> None:
    """fp32 takes 0.1 s per photo, bf16 a tenth of it, each once disturbed."""

    def time_steps(
        objective: object, crop: int, photos: int, device: object, precisions: tuple[str, ...]
    ) -> dict[str, list[float]]:
        assert crop == 10
        seconds = {"fp32": 0.1 * photos, "bf16": 0.01 * photos}
        return {name: [seconds[name], 9.0, seconds[name]] for name in precisions}

    monkeypatch.setattr(costs, "time_steps", time_steps)


def test_a_decoders_run_counted_by_hand() -> None:
    """conv1_1 3→2, conv1_2 2→2 forwards; deconv1_2 2→2, deconv1_1 2→3 three times."""
    cost = training_cost(ENCODER, ENCODER.mirror(), RECIPE, ON_CPU)
    encoder = 9 * 100 * (3 * 2 + 2 * 2)
    decoder = 9 * 100 * (2 * 2 + 2 * 3)
    assert cost.photos == 6 * 3600
    assert cost.multiply_adds == (encoder + 3 * decoder) * cost.photos
    assert cost.disk - 170 * 3600 == 3 * 4 * 9 * (2 * 2 + 2 * 3)
    assert (cost.precision, cost.seconds_per_step) == ("bf16", pytest.approx(0.06))
    assert cost.seconds == pytest.approx(0.06 * 3600)


def test_a_classifiers_run_trains_the_encoder() -> None:
    cost = training_cost(ENCODER, None, RECIPE.changed(precision="fp32"), ON_CPU)
    assert cost.multiply_adds == 3 * 9 * 100 * (3 * 2 + 2 * 2) * 6 * 3600
    assert cost.disk - 170 * 3600 == 3 * 4 * 9 * (3 * 2 + 2 * 2)
    assert (cost.precision, cost.seconds) == ("fp32", pytest.approx(0.6 * 3600))


def test_a_run_that_was_stopped_has_its_other_steps_left(before: Path) -> None:
    cost = training_cost(ENCODER, ENCODER.mirror(), RECIPE, ON_CPU, before / "stopped")
    assert cost.done == 3
    assert cost.seconds == pytest.approx((3600 - 3) * 0.06)


def test_a_rough_count_goes_by_a_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "convolution_rate", lambda: 1e9)
    monkeypatch.setattr(costs, "time_steps", lambda *_: pytest.fail("timed"))
    cost = training_cost(ENCODER, ENCODER.mirror(), RECIPE, ON_CPU, timed=False)
    assert cost.precision == "fp32"
    assert cost.seconds == pytest.approx(2 * cost.multiply_adds / 1e9)
    assert cost.memory > 400e6


def test_accumulation_computes_a_batch_in_parts() -> None:
    machine = MachineOptions(device="cpu", accumulate=3)
    cost = training_cost(ENCODER, ENCODER.mirror(), RECIPE, machine)
    assert cost.seconds_per_step == pytest.approx(0.06)  # three times two photos


def test_a_run_that_has_begun_keeps_its_precision(
    before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "faster", lambda _: pytest.fail("chosen again"))
    cost = training_cost(ENCODER, ENCODER.mirror(), RECIPE, ON_CPU, before / "stopped")
    assert cost.precision == "bf16"
