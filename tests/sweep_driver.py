"""`preimage sweep` whose jobs of width 4 never end: for tests that kill it, or its workers."""

import functools
import os
import signal
import sys
from pathlib import Path

import worker_jobs

from preimage.app.cli.main import main
from preimage.sweeps import run
from preimage.sweeps.engine import Configs, execute
from preimage.sweeps.jobs import JobResult, run_job
from preimage.sweeps.photos import PackedPhotos


def stop_at_width_4(configs: Configs, photos: PackedPhotos, threads: int) -> JobResult:
    if configs[0].width == 4:
        worker_jobs.wait_for_ever(Path(os.environ["ARRIVALS"]))
    return run_job(configs, photos, threads)


if __name__ == "__main__":
    # A shell without job control starts its background jobs with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run.execute = functools.partial(execute, run=stop_at_width_4)  # type: ignore[assignment]
    sys.exit(main())
