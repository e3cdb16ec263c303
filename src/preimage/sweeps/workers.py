"""Worker processes that die alone: an executor in which each worker has a pipe to itself.

The job of a worker that is killed fails with `WorkerDied`; the others are not affected, and the
next job in its place starts a new process. Workers end with their parent, however it ends, and
leave Ctrl-C and SIGTERM to it.

Why not a library's pool? In the standard library's, one killed process fails every job. In pebble's
(tried: 5.2) the workers share one pipe: a worker that is killed while it is idle, starts or takes
its job fails all jobs ("All workers expired") and the pool takes no more, though other workers
live. Its workers also outlive a killed parent until their job ends, and one that is still importing
dies of Ctrl-C.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from preimage.data.freed_memory import keep_freed_memory

_Result = TypeVar("_Result")
_SPAWN = multiprocessing.get_context("spawn")  # threads of torch do not survive a fork


class WorkerDied(RuntimeError):
    """A worker process ended before its job did."""


def refuse_in_worker() -> None:
    """Refuses to start processes in a process that was started for a job.

    A worker imports the script that started it. Where the script starts a sweep without being asked
    whether it is the main one, each worker would do so again.

    Raises:
        RuntimeError: this is such a process; the message says what the script lacks.
    """
    if multiprocessing.current_process().daemon:
        raise RuntimeError(
            "a sweep's worker processes import this script: put what it does under "
            '`if __name__ == "__main__":`.'
        )


class ProcessExecutor(Executor):
    """Runs functions in `workers` processes.

    Args:
        workers: how many at most, at least 1; each starts with its first job.
    """

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="preimage-worker")
        self._slot = threading.local()
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._closed = False

    def submit(self, fn: Callable[..., _Result], /, *args: Any, **kwargs: Any) -> "Future[_Result]":
        """The future of a call. It raises what the call raises, or `WorkerDied`."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the workers: after their jobs with `wait`, else, or at Ctrl-C, at once."""
        try:
            self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        except BaseException:
            self._kill()
            raise
        self._kill()
        if wait:
            for worker in self._workers:
                worker.process.join()

    def _kill(self) -> None:
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.process.kill()

    def _call(self, fn: Callable[..., _Result], args: Any, kwargs: Any) -> _Result:
        worker = getattr(self._slot, "worker", None)
        if worker is None or not worker.process.is_alive():
            worker = self._slot.worker = self._start()
        result: _Result = worker.call(fn, args, kwargs)
        return result

    def _start(self) -> "_Worker":
        with self._lock:
            if self._closed:
                raise WorkerDied("the executor is shut down.")
            self._workers = [worker for worker in self._workers if worker.process.is_alive()]
            self._workers.append(_Worker())
            return self._workers[-1]


class _Worker:
    def __init__(self) -> None:
        self.pipe, other = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(other,), daemon=True)
        # A process inherits the mask: Ctrl-C and SIGTERM reach the parent alone.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        other.close()

    def call(self, fn: Callable[..., _Result], args: Any, kwargs: Any) -> _Result:
        try:
            self.pipe.send((fn, args, kwargs))
            returned, value = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
            raise WorkerDied(f"the worker process died ({how}).") from None
        if not returned:
            raise value
        result: _Result = value
        return result


def _serve(pipe: Connection) -> None:
    """The life of a worker: one call after another until the parent ends."""
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(signal, "sigwaitinfo"):
        threading.Thread(target=_end_at_parents_word, daemon=True).start()
    while True:
        try:
            fn, args, kwargs = pipe.recv()
        except EOFError:
            return
        try:
            reply = (True, fn(*args, **kwargs))
        except Exception as error:
            reply = (False, error)
        try:
            pipe.send(reply)
        except (TypeError, AttributeError, ValueError) as error:  # can't be pickled
            pipe.send((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_at_parents_word() -> None:
    """SIGTERM is blocked, for a whole group may get it; that of the parent alone is obeyed."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
