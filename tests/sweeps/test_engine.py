import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import sweep_jobs

from preimage.data.photo import embedded_photos
from preimage.sweeps.engine import Backend, Configs, JobOutcome, execute
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.jobs import METRICS
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.trials import by_encoder, run_trials
from preimage.sweeps.workers import ProcessExecutor

GRID = SweepConfig(layer=("conv1",), pooled=True, width=(2, 3, 4), head=("conv", "mean"), size=32)


@pytest.fixture
def photos() -> PackedPhotos:
    return PackedPhotos.pack(embedded_photos(32)[:2])


@pytest.fixture
def jobs() -> list[Configs]:
    return [tuple(group) for group in by_encoder(GRID.cells()[::5])]  # network 0 alone


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    monkeypatch.setenv("ATTEMPTS", str(tmp_path / "attempts"))
    return sweep_jobs.attempts


def backend(executor: Executor, in_flight: int = 2) -> Backend:
    return Backend(executor, in_flight)


def test_the_engine_gives_what_trials_give(jobs: list[Configs], photos: PackedPhotos) -> None:
    outcomes = list(execute(jobs, photos, backend(ThreadPoolExecutor(2))))
    assert {outcome.configs for outcome in outcomes} == set(jobs)
    rows = {
        config: outcome.result.rows[index]
        for outcome in outcomes
        if outcome.result
        for index, config in enumerate(outcome.configs)
    }
    configs = [config for job in jobs for config in job]
    trials = list(run_trials(configs, [photos.photo(0), photos.photo(1)]))
    assert len(trials) == len(rows) == 6
    for trial in trials:
        for row, result in zip(rows[trial.config], trial.reconstructions, strict=True):
            assert row["photo_sha256"] == result.photo.sha256
            assert {name: row[name] for name in METRICS} == {
                name: result.record()[name] for name in METRICS
            }


def test_a_cell_that_fails_three_times_spoils_no_other(
    jobs: list[Configs], photos: PackedPhotos, attempts: Callable[[], list[str]]
) -> None:
    run = sweep_jobs.fail_on_width_3
    outcomes = list(execute(jobs, photos, backend(ThreadPoolExecutor(1), 1), run=run))
    (failed,) = [outcome for outcome in outcomes if outcome.result is None]
    assert failed.error == "width 3 is not for us"
    assert [(config.width, config.head) for config in failed.configs] == [(3, "mean")]
    assert sum(len(outcome.configs) for outcome in outcomes) == 6
    lines = attempts()
    assert lines.count("3/conv 3/mean") == 2
    assert lines.count("3/mean") == lines.count("3/conv") == 1
    assert lines.count("2/conv 2/mean") == lines.count("4/conv 4/mean") == 1


@pytest.mark.slow
def test_a_cell_that_kills_its_worker_three_times(
    jobs: list[Configs], photos: PackedPhotos, attempts: Callable[[], list[str]]
) -> None:
    run = sweep_jobs.die_on_width_3
    outcomes = list(execute(jobs, photos, backend(ProcessExecutor(2)), run=run))
    failed = [outcome for outcome in outcomes if outcome.result is None]
    assert {(c.width, c.head) for o in failed for c in o.configs} == {(3, "conv"), (3, "mean")}
    assert "killed by signal 9" in failed[0].error
    done = [config.width for o in outcomes if o.result for config in o.configs]
    assert sorted(width or 0 for width in done) == [2, 2, 4, 4]
    assert attempts().count("2/conv 2/mean") == 1  # a neighbour's death is not its own


class Idle(Executor):
    """Never does anything."""

    def submit(self, fn: object, /, *args: object, **kwargs: object) -> "Future[object]":  # type: ignore[override]
        return Future()


def test_the_deadline_ends_it(jobs: list[Configs], photos: PackedPhotos) -> None:
    start = time.monotonic()
    outcomes: list[JobOutcome] = list(execute(jobs, photos, backend(Idle()), deadline=start + 0.05))
    assert outcomes == []
    assert time.monotonic() - start < 5


def test_no_job_needs_no_executor(photos: PackedPhotos) -> None:
    assert list(execute([], photos, backend(Idle()))) == []
