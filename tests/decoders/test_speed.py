"""Which precision is faster, from times that a test gives; and that timing leaves no trace."""

import pytest
import torch

from preimage.decoders import speed
from preimage.decoders.classifier import Classification, classifier
from preimage.decoders.inverter import Inversion
from preimage.decoders.loop import Objective
from preimage.decoders.speed import StepTimer, faster, time_steps
from preimage.network.architectures import vgg16
from preimage.network.build import build

ENCODER = vgg16().cut("conv1").with_width(2)
CPU = torch.device("cpu")


def inversion() -> Inversion:
    return Inversion(build(ENCODER), build(ENCODER.mirror()), 1.0)


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_known", {})


@pytest.mark.parametrize(
    ("fp32", "bf16", "expected"),
    [
        ([0.036], [0.362], "fp32"),  # an AMD EPYC with AVX2 alone
        ([0.170], [0.101], "bf16"),  # an AMD EPYC with AVX-512 for bfloat16
        ([0.1], [0.1], "fp32"),
        ([0.1], [0.09], "fp32"),  # a difference that may be noise
        ([0.1, 9.0], [5.0, 0.05], "bf16"),  # one slow step each: another program's doing
    ],
)
def test_bf16_only_where_it_is_clearly_faster(
    fp32: list[float], bf16: list[float], expected: str
) -> None:
    assert faster({"fp32": fp32, "bf16": bf16}) == expected


@pytest.mark.usefixtures("nothing_known")
@pytest.mark.parametrize(("photos", "timed"), [(16, 4), (3, 3)])
def test_long_steps_are_timed_on_fewer_photos(
    photos: int, timed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 0.05 s per photo four photos fit into a timed step; the time is scaled up to all."""
    seen = []

    def seconds(timer: StepTimer, precision: str) -> float:
        seen.append((len(timer.pixels), precision))
        return 0.05 * len(timer.pixels) * (10 if precision == "bf16" else 1)

    monkeypatch.setattr(StepTimer, "seconds", seconds)
    found = time_steps(inversion(), 8, photos, CPU)
    assert found["fp32"] == pytest.approx([0.05 * photos] * len(found["fp32"]))
    assert found["bf16"] == pytest.approx([0.5 * photos] * len(found["fp32"]))
    assert len(found["fp32"]) >= 3
    assert seen[:2] == [(1, "fp32")] * 2  # the warm-up, and the photo that sets the number
    assert seen[4:] == [(timed, "fp32"), (timed, "bf16")] * len(found["fp32"])
    count = len(seen)
    time_steps(inversion(), 8, photos, CPU, ["bf16"])  # of the same shapes: known already
    assert len(seen) == count


@pytest.mark.usefixtures("nothing_known")
def test_a_known_precision_is_timed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()

    def seconds(timer: StepTimer, precision: str) -> float:
        seen.add(precision)
        return 1.0

    monkeypatch.setattr(StepTimer, "seconds", seconds)
    assert time_steps(inversion(), 8, 2, CPU, ["bf16"]).keys() == {"bf16"}
    assert seen == {"bf16"}


@pytest.mark.parametrize(
    "objective",
    [inversion(), Classification(classifier(vgg16().cut("conv1").with_width(2), 3))],
    ids=["inversion", "classification with batch normalisation"],
)
def test_timing_leaves_no_trace(objective: Objective) -> None:
    before = {name: value.clone() for name, value in objective.state_dict().items()}
    randomness = torch.get_rng_state()
    timer = StepTimer(objective, 8, 2, CPU)
    assert timer.seconds("fp32") > 0
    assert timer.seconds("bf16") > 0
    assert all(torch.equal(objective.state_dict()[name], value) for name, value in before.items())
    assert all(parameter.grad is None for parameter in objective.parameters())
    assert torch.equal(torch.get_rng_state(), randomness)


def test_a_timed_step_computes_in_its_precision() -> None:
    timer = StepTimer(inversion(), 8, 2, CPU)
    seen = []
    trained = timer.objective.trained
    trained.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    timer.seconds("fp32")
    timer.seconds("bf16")
    assert seen == [torch.float32, torch.bfloat16]
