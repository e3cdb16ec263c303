"""One folder, one writer: a lock that ends with its process, however that ends."""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows has no flock; there two writers are not told apart
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Nobody else writes to the folder within this block.

    The lock is the kernel's (`flock`, on NFS too since Linux 2.6.12), so that a killed process
    leaves none behind; `.lock` itself is deleted at the end of the block. Of the processes of one
    distributed run, the first locks for all.

    Raises:
        ValueError: another process writes there; the line names its host, number and start.
        OSError: the folder can't be made or written to.
    """
    if fcntl is None or os.environ.get("RANK", "0") != "0":
        yield
        return
    made = [above for above in (folder, *folder.parents) if not above.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_FILE
    file = _locked(path)
    try:
        json.dump(_holder(), file)
        file.flush()
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is ours
        file.close()
        with suppress(OSError):  # a block that wrote nothing leaves no folder
            for empty in made:
                empty.rmdir()


def _locked(path: Path) -> IO[str]:
    """The file, locked; it may have been deleted between its opening and its locking."""
    while True:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read()
            file.close()
            raise ValueError(f"`out` {path.parent} is being written {_told(holder)}.") from None
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            file.truncate(0)
            return file
        file.close()


def _holder() -> dict[str, Any]:
    started = time.strftime("%Y-%m-%d %H:%M:%S")
    return {"host": platform.node(), "process": os.getpid(), "started": started}


def _told(holder: str) -> str:
    advice = "wait for it, or name another folder"
    try:
        known = json.loads(holder)
        return (
            f"by process {known['process']} on {known['host']}, since {known['started']}; {advice}"
        )
    except (ValueError, KeyError, TypeError):
        return f"by another process; {advice}"
