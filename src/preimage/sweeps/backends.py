"""Where a sweep computes: in processes on this machine, or on the workers of a Dask scheduler."""

import os
from typing import Any

import torch

from preimage.network.spec import DeviceName
from preimage.sweeps.engine import Backend
from preimage.sweeps.grid import Execution
from preimage.sweeps.photos import PackedPhotos
from preimage.sweeps.workers import ProcessExecutor

#: Jobs that a Dask scheduler holds per thread of its workers: while one runs, one waits.
_JOBS_AHEAD = 2
#: Seconds until a scheduler counts as absent, and until its first worker does.
_CONNECT_SECONDS, _WORKER_SECONDS = 20.0, 60.0


def open_backend(execution: Execution, device: DeviceName) -> Backend:
    """The backend that the options ask for.

    Raises:
        ValueError: the scheduler can't be reached, or Dask is not installed.
    """
    if execution.scheduler:
        return _dask(execution.scheduler)
    workers = num_workers(execution, device)
    return Backend(ProcessExecutor(workers), in_flight=workers)


def num_workers(execution: Execution, device: DeviceName) -> int:
    """As asked for; by default as many as fit the cores of this process, or one with a GPU."""
    if execution.workers is not None:
        return execution.workers
    if device != "cpu" and torch.cuda.is_available():
        return 1
    return max(num_cores() // execution.threads, 1)


def num_cores() -> int:
    """The number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _dask(address: str) -> Backend:
    try:
        import dask
        from distributed import Client as UntypedClient
    except ImportError:
        raise ValueError(
            "`scheduler` needs Dask: pip install 'preimage[cluster]' here and on the workers."
        ) from None
    Client: Any = UntypedClient
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
    try:
        client = Client(address, timeout=_CONNECT_SECONDS)
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"`scheduler` {address}: no scheduler with a worker answers there ({reason})."
        ) from None

    def share(photos: PackedPhotos) -> Any:
        return client.scatter(photos, broadcast=True, hash=False)

    threads = sum(client.nthreads().values())
    # Dask itself tries a failed job once more; then the job comes back, to be tried cell by cell.
    return Backend(
        client.get_executor(retries=1, pure=False),
        in_flight=_JOBS_AHEAD * threads,
        attempts=2,
        share=share,
        close=client.close,
    )
