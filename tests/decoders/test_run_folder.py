"""A run's folder: its curve and state are those of the last step saved, whatever stopped it."""

import signal
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from preimage.data.checkpoints import read_checkpoint
from preimage.data.crops import Batch
from preimage.decoders.inverter import Inversion
from preimage.decoders.loop import Training
from preimage.decoders.loss_curve import metrics_line, read_metrics
from preimage.decoders.recipes import Recipe
from preimage.decoders.run_folder import Run, saved_settings
from preimage.network.architectures import vgg16
from preimage.network.build import build

ENCODER = vgg16().cut("conv1").with_width(2)
RECIPE = Recipe(steps=6, batch_size=2, crop=8)
SETTINGS = {"recipe": {"steps": 6}, "seed": 0}


def training() -> Training:
    return Training(
        Inversion(build(ENCODER), build(ENCODER.mirror()), 1.0), RECIPE, Accelerator(cpu=True)
    )


def batches(start: int = 0, problem: str = "") -> Iterator[Batch]:
    for step in range(start, 100):
        generator = torch.Generator().manual_seed(step)
        pixels = torch.randint(0, 256, (2, 3, 8, 8), generator=generator, dtype=torch.uint8)
        yield Batch(pixels, None, [problem] if problem else [])


def losses(folder: Path) -> list[float]:
    return [line["loss"] for line in read_metrics(folder / "metrics.jsonl")]


def test_an_unbroken_run(tmp_path: Path) -> None:
    subject = training()
    seen = iter(range(100))
    probe = lambda: {"probe": next(seen)}  # noqa: E731
    assert Run(subject, tmp_path, SETTINGS).train(batches(), probe=probe, probe_every=2)
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert {line["step"]: line.get("probe") for line in lines} == {
        1: None, 2: 0, 3: None, 4: 1, 5: None, 6: 2
    }  # fmt: skip
    expected = [record.loss for record in training().run(batches())]
    assert losses(tmp_path) == expected
    state = read_checkpoint(tmp_path / "state.safetensors", "training state")
    assert state.card == {"step": 6, "settings": SETTINGS}
    assert saved_settings(tmp_path) == SETTINGS
    assert all(torch.equal(subject.state()[name], value) for name, value in state.tensors.items())


def test_batches_that_end_early_leave_a_run_to_go_on_with(tmp_path: Path) -> None:
    assert not Run(training(), tmp_path, SETTINGS).train(islice(batches(), 4))
    second = training()
    run = Run(second, tmp_path, SETTINGS)
    assert second.step == 4
    assert run.train(batches(second.step))
    assert losses(tmp_path) == [record.loss for record in training().run(batches())]


def test_a_curve_ahead_of_its_state_is_cut_back(tmp_path: Path) -> None:
    """Killed after a line was written, in the middle of the next, before a state was saved."""
    Run(training(), tmp_path, SETTINGS).train(islice(batches(), 3))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        fourth = read_metrics(tmp_path / "metrics.jsonl")[-1] | {"step": 4}
        file.write(metrics_line(fourth) + '{"step": 5, "lo')
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == 4
    Run(training(), tmp_path, SETTINGS)
    assert [line["step"] for line in read_metrics(tmp_path / "metrics.jsonl")] == [1, 2, 3]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step(number: signal.Signals, tmp_path: Path) -> None:
    def interrupted() -> Iterator[Batch]:
        for step, batch in enumerate(batches()):
            if step == 2:
                signal.raise_signal(number)
            yield batch

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        Run(training(), tmp_path, SETTINGS).train(interrupted())
    assert signal.getsignal(number) is before
    again = training()
    Run(again, tmp_path, SETTINGS)
    assert again.step == 3  # the step of the signal was finished, and saved


def test_problems_are_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(training(), tmp_path, SETTINGS, ["a.png: empty"])
    run.train(batches(problem="b.png: truncated"))
    named = [line for line in caplog.messages if line.startswith("skipped")]
    assert named == ["skipped: a.png: empty", "skipped: b.png: truncated"]


def test_a_resumed_run_knows_what_was_skipped_before(tmp_path: Path) -> None:
    Run(training(), tmp_path, SETTINGS).train(islice(batches(problem="b.png: truncated"), 3))
    assert Run(training(), tmp_path, SETTINGS, ["a.png: empty"]).problems == {
        "a.png: empty",
        "b.png: truncated",
    }
    (tmp_path / "skipped.json").write_text("{")
    with pytest.raises(ValueError, match=r"skipped\.json: damaged; delete it"):
        Run(training(), tmp_path, SETTINGS)


def test_other_settings_are_refused(tmp_path: Path) -> None:
    Run(training(), tmp_path, SETTINGS).train(islice(batches(), 1))
    message = rf"`out` {tmp_path} .* \(extra: None there, 1 here; seed: 0 there, 5 here\)"
    with pytest.raises(ValueError, match=message):
        Run(training(), tmp_path, {**SETTINGS, "seed": 5, "extra": 1})


def test_an_empty_folder_has_no_settings(tmp_path: Path) -> None:
    assert saved_settings(tmp_path) is None
    assert read_metrics(tmp_path / "metrics.jsonl") == []
