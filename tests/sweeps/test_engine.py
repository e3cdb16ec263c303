import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import worker_jobs

from preimage.data.photo import embedded_photos
from preimage.sweeps import engine
from preimage.sweeps.engine import Backend, Configs, execute
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.jobs import JobResult, run_job
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.trials import by_encoder, run_trials
from preimage.sweeps.workers import ProcessExecutor

GRID = SweepConfig(
    layer=("conv1",), pooled=True, width=(2, 3, 4), head=("conv", "mean"), networks=1, size=32
)


@pytest.fixture(scope="module")
def photos() -> PackedPhotos:
    return PackedPhotos.pack(embedded_photos(32)[:2])


@pytest.fixture
def jobs() -> list[Configs]:
    return [tuple(group) for group in by_encoder(GRID.cells())]


def backend(executor: Executor, in_flight: int = 2, **options: Any) -> Backend:
    return Backend(executor, in_flight, **options)


def names(configs: Configs) -> str:
    return " ".join(f"{config.width}/{config.head}" for config in configs)


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
            scores = result.scores()
            assert {name: row[name] for name in scores} == scores


def test_a_cell_that_fails_three_times_spoils_no_other(
    jobs: list[Configs], photos: PackedPhotos
) -> None:
    tried: list[str] = []

    def fail_on_width_3(configs: Configs, photos: Any, threads: int) -> JobResult:
        tried.append(names(configs))
        if any(config.width == 3 and config.head == "mean" for config in configs):
            raise RuntimeError("width 3 is\nnot for us")
        return run_job(configs, photos, threads)

    executor = backend(ThreadPoolExecutor(1), 1)
    outcomes = list(execute(jobs, photos, executor, run=fail_on_width_3))
    (failed,) = [outcome for outcome in outcomes if outcome.result is None]
    assert failed.error == "width 3 is not for us"
    assert names(failed.configs) == "3/mean"
    assert sum(len(outcome.configs) for outcome in outcomes) == 6
    whole = "3/conv 3/mean"
    assert tried == ["2/conv 2/mean", whole, whole, "3/conv", "3/mean", "4/conv 4/mean"]


@pytest.mark.usefixtures("no_hint_checks")  # results of any type: those of run_job need torch
def test_a_cell_that_kills_its_worker_three_times(
    jobs: list[Configs],
    photos: PackedPhotos,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ARRIVALS", str(tmp_path))
    run: Callable[..., Any] = worker_jobs.die_on_width_3
    executor = backend(ProcessExecutor(2), share=lambda photos: None)
    outcomes = list(execute(jobs, photos, executor, run=run))
    failed = {names(o.configs): o.error for o in outcomes if o.result is None}
    assert failed == dict.fromkeys(
        ("3/conv", "3/mean"), "the worker process died (killed by signal 9)."
    )
    done: dict[str, Any] = {names(o.configs): o.result for o in outcomes if o.result is not None}
    assert done == {"2/conv 2/mean": "width 2", "4/conv 4/mean": "width 4"}
    tries = {width: len(worker_jobs.arrivals(tmp_path / f"width {width}")) for width in (2, 3, 4)}
    # Width 3: twice as a whole, then cell by cell. A neighbour's death costs width 2 nothing.
    assert tries == {2: 1, 3: 4, 4: 2}


RESULT = JobResult([], {"seconds": 0.5})


class OnlyTheFirst(Executor):
    """Answers the first job at once, and the others never; from the second on it is later."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def clock(self) -> float:
        return 0.0 if len(self.futures) < 2 else 60.0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.futures.append(Future())
        if len(self.futures) == 1:
            self.futures[0].set_result(RESULT)
        return self.futures[-1]


def test_the_deadline_drops_what_is_not_finished(
    jobs: list[Configs], photos: PackedPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor, closed = OnlyTheFirst(), []
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=executor.clock))
    options = backend(executor, 2, close=lambda: closed.append(True))
    outcomes = list(execute(jobs, photos, options, deadline=30.0))
    assert [(o.configs, o.result) for o in outcomes] == [(jobs[0], RESULT)]
    assert [future.cancelled() for future in executor.futures] == [False, True]  # no third job
    assert closed == [True]


def test_nothing_begins_after_the_deadline(jobs: list[Configs], photos: PackedPhotos) -> None:
    executor = OnlyTheFirst()
    assert list(execute(jobs, photos, backend(executor), deadline=time.monotonic())) == []
    assert executor.futures == []


def test_the_executor_is_closed_when_the_caller_stops(
    jobs: list[Configs], photos: PackedPhotos
) -> None:
    executor, closed = OnlyTheFirst(), []
    outcomes = execute(jobs, photos, backend(executor, 3, close=lambda: closed.append(True)))
    assert next(outcomes).configs == jobs[0]
    assert closed == []
    outcomes.close()  # type: ignore[attr-defined]
    assert [future.cancelled() for future in executor.futures] == [False, True, True]
    assert closed == [True]


def test_no_job_needs_no_executor(photos: PackedPhotos) -> None:
    executor = OnlyTheFirst()
    assert list(execute([], photos, backend(executor))) == []
    assert executor.futures == []


def test_photos_are_shared_again_after_a_failure(jobs: list[Configs], photos: PackedPhotos) -> None:
    """What a dead worker held may be gone with it."""
    shared: list[int] = []

    def share(photos: PackedPhotos) -> int:
        shared.append(len(shared))
        return shared[-1]

    def fail_on_the_first(configs: Configs, photos: int, threads: int) -> Any:
        if photos == 0:
            raise RuntimeError("no photos")
        return RESULT

    executor = backend(ThreadPoolExecutor(1), 1, share=share)
    outcomes = list(execute(jobs[:1], photos, executor, run=fail_on_the_first))
    assert [outcome.result for outcome in outcomes] == [RESULT]
    assert shared == [0, 1]
