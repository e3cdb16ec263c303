import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import worker_jobs
from waiting import LIMIT, has_ended, wait_for

from preimage.sweeps.workers import ProcessExecutor, WorkerDied


def children() -> set[int | None]:
    """Of this process; those that have ended are forgotten."""
    return {child.pid for child in multiprocessing.active_children()}


def test_a_killed_worker_takes_its_job_alone(tmp_path: Path) -> None:
    with ProcessExecutor(2) as executor:
        lost = executor.submit(worker_jobs.wait_for_ever, tmp_path / "lost")
        kept = executor.submit(worker_jobs.wait_until_there, tmp_path / "kept", tmp_path / "killed")
        for job in ("lost", "kept"):
            wait_for(f"job {job} begins", lambda job=job: worker_jobs.arrivals(tmp_path / job))
        (killed,) = worker_jobs.arrivals(tmp_path / "lost")
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="killed by signal 9"):
            lost.result(LIMIT)
        assert not kept.done()
        (tmp_path / "killed").touch()
        survivor = kept.result(LIMIT)
        assert [survivor] == worker_jobs.arrivals(tmp_path / "kept")
    assert not {killed, survivor} & children()


def test_a_worker_serves_until_it_dies() -> None:
    with ProcessExecutor(1) as executor:
        first = executor.submit(worker_jobs.process_id).result(LIMIT)
        with pytest.raises(KeyError, match="a reason"):
            executor.submit(worker_jobs.fail).result(LIMIT)
        with pytest.raises(RuntimeError, match="unpicklable"):
            executor.submit(worker_jobs.unpicklable).result(LIMIT)
        assert executor.submit(worker_jobs.process_id).result(LIMIT) == first != os.getpid()
        with pytest.raises(WorkerDied, match="exit code 3"):
            executor.submit(worker_jobs.exit_with_3).result(LIMIT)
        second = executor.submit(worker_jobs.process_id).result(LIMIT)
        assert second != first
        os.kill(second, signal.SIGKILL)  # while it is idle
        wait_for("the worker's end", lambda: second not in children())
        third = executor.submit(worker_jobs.process_id).result(LIMIT)
        assert third not in (first, second)


def test_shutdown_without_waiting_ends_a_job(tmp_path: Path) -> None:
    executor = ProcessExecutor(1)
    future = executor.submit(worker_jobs.wait_for_ever, tmp_path / "begun")
    wait_for("the job begins", lambda: worker_jobs.arrivals(tmp_path / "begun"))
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(WorkerDied, match="killed by signal 9"):
        future.result(LIMIT)
    (process,) = worker_jobs.arrivals(tmp_path / "begun")
    wait_for("the worker's end", lambda: process not in children())


INTERRUPTED = """
import signal, sys, threading
from pathlib import Path
import worker_jobs
from preimage.sweeps.workers import ProcessExecutor

def interrupt(executor, arrived, main):
    while not (executor._threads._shutdown and len(worker_jobs.arrivals(arrived)) == 2):
        threading.Event().wait(0.02)
    signal.pthread_kill(main, signal.SIGINT)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    executor, arrived = ProcessExecutor(2), Path(sys.argv[1])
    for _ in range(2):
        executor.submit(worker_jobs.wait_for_ever, arrived)
    given = executor, arrived, threading.get_ident()
    threading.Thread(target=interrupt, args=given).start()
    try:
        executor.shutdown()
    except KeyboardInterrupt:
        print("interrupted")
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_ctrl_c_ends_a_shutdown_that_waits(tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(INTERRUPTED)
    words = [sys.executable, str(tmp_path / "driver.py"), str(tmp_path / "arrived")]
    done = subprocess.run(
        words, env=environment(), timeout=LIMIT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "interrupted\n"
    workers = worker_jobs.arrivals(tmp_path / "arrived")
    wait_for("the workers' end", lambda: all(map(has_ended, workers)))


DRIVER = """
import os, signal, sys
from pathlib import Path
import worker_jobs
from preimage.sweeps.workers import ProcessExecutor

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    future = ProcessExecutor(1).submit(worker_jobs.wait_for_ever, Path(sys.argv[1]))
    future.result()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    arrived = tmp_path / "arrived"
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "driver.py"), str(arrived)],
        env=environment(),
    )
    try:
        wait_for("the job begins", lambda: worker_jobs.arrivals(arrived))
        process.send_signal(how)
        process.wait(LIMIT)
        (worker,) = worker_jobs.arrivals(arrived)
        wait_for("the worker's end", lambda: has_ended(worker))
    finally:
        process.kill()
        process.wait()
