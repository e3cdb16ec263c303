import os
import time

import pytest
import sweep_jobs

from preimage.sweeps.workers import ProcessExecutor, WorkerDied


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: object, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_a_killed_worker_takes_its_job_alone() -> None:
    with ProcessExecutor(1) as executor:
        first = executor.submit(sweep_jobs.process_number).result()
        assert first != os.getpid()
        assert executor.submit(sweep_jobs.process_number).result() == first
        sleeping = executor.submit(sweep_jobs.sleep, 60)
        time.sleep(0.2)
        os.kill(first, 9)
        with pytest.raises(WorkerDied, match="killed by signal 9"):
            sleeping.result(timeout=30)
        second = executor.submit(sweep_jobs.process_number).result()
        assert second != first
        with pytest.raises(KeyError, match="a reason"):
            executor.submit(sweep_jobs.fail).result()
        with pytest.raises(RuntimeError, match="unpicklable"):
            executor.submit(sweep_jobs.unpicklable).result()
        assert executor.submit(sweep_jobs.process_number).result() == second
    assert wait_until(lambda: not alive(second))


@pytest.mark.slow
def test_shutdown_without_waiting_ends_a_job() -> None:
    executor = ProcessExecutor(1)
    process = executor.submit(sweep_jobs.process_number).result()
    future = executor.submit(sweep_jobs.sleep, 600)
    time.sleep(0.2)
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(WorkerDied):
        future.result(timeout=30)
    assert wait_until(lambda: not alive(process))
