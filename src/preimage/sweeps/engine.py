"""Jobs on any `concurrent.futures` executor: a failure is retried, and stops no other job."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from preimage.network.spec import ReconstructConfig
from preimage.sweeps.jobs import JobResult, run_job
from preimage.sweeps.photos import PackedPhotos

Configs = tuple[ReconstructConfig, ...]
RunJob = Callable[[Configs, Any, int], JobResult]


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended: its result, or why it has none."""

    configs: Configs
    result: JobResult | None
    error: str = ""


@dataclass
class _Job:
    configs: Configs
    attempts: int = 0


@dataclass(frozen=True)
class Backend:
    """An executor and how to use it.

    Args:
        executor: anything with `submit` that returns a `concurrent.futures.Future`.
        in_flight: jobs handed over at once, which a deadline or a kill can lose.
        attempts: how often a job is tried in total.
        share: brings the photos to the workers; returns what `run_job` takes in their place.
        close: called after the executor is shut down.
    """

    executor: Executor
    in_flight: int
    attempts: int = 3
    share: Callable[[PackedPhotos], Any] = lambda photos: photos
    close: Callable[[], object] = lambda: None


def execute(
    jobs: Iterable[Configs],
    photos: PackedPhotos,
    backend: Backend,
    *,
    threads: int = 1,
    deadline: float | None = None,
    run: RunJob = run_job,
) -> Iterator[JobOutcome]:
    """The outcomes of jobs as they finish; the executor is always shut down at the end.

    A job of several cells is tried as a whole; its last attempt takes them one at a time, so that
    one bad cell does not spoil the others.

    Args:
        threads: per worker.
        deadline: a time of `time.monotonic`; jobs that are not finished by then are dropped.
        run: what a worker calls, importable there.
    """
    waiting = deque(_Job(configs) for configs in jobs)
    running: dict[Future[JobResult], _Job] = {}
    finished = False
    try:
        shared = backend.share(photos) if waiting else None
        while waiting or running:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            while waiting and left != 0 and len(running) < backend.in_flight:
                job = waiting.popleft()
                job.attempts += 1
                running[backend.executor.submit(run, job.configs, shared, threads)] = job
            done, _ = wait(running, timeout=left, return_when=FIRST_COMPLETED)
            if not done:
                return
            for future in done:
                job = running.pop(future)
                error = _error(future)
                if error is None:
                    yield JobOutcome(job.configs, future.result())
                elif job.attempts < backend.attempts:
                    shared = backend.share(photos)  # what was near the workers may have died too
                    waiting.extendleft(reversed(_again(job, backend.attempts)))
                else:
                    yield JobOutcome(job.configs, None, error)
        finished = True
    finally:
        for future in running:
            future.cancel()
        backend.executor.shutdown(wait=finished)
        backend.close()


def _again(job: _Job, attempts: int) -> list[_Job]:
    if job.attempts < attempts - 1:
        return [job]
    return [_Job((config,), job.attempts) for config in job.configs]


def _error(future: "Future[Any]") -> str | None:
    if future.cancelled():
        return "cancelled."
    error = future.exception()
    if error is None:
        return None
    return " ".join(str(error).split()) or type(error).__name__
