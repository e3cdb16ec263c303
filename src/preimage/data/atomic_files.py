"""Files that are there whole or not at all, alone or together; what a kill leaves is swept."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has no flock; there nothing is swept
    fcntl = None  # type: ignore[assignment]

Write = Callable[[Path], object]
#: How the names of files begin that are not finished. Each is locked while its writer lives.
UNFINISHED = ".preimage-"


def write_atomically(path: Path, write: Write) -> Path:
    """Lets `write` fill a temporary file beside `path`, then renames it: all or nothing.

    The first writer of a process in a folder deletes the temporary files of writers that were
    killed there; those of living writers are locked (`flock`), and stay.

    Raises:
        OSError: the folder can't be made or written to.
    """
    write_together({path: write})
    return path


def write_together(writes: Mapping[Path, Write]) -> None:
    """Several files: no one is renamed before all are written.

    Raises:
        OSError: a folder can't be made or written to; then no file has changed.
    """
    with ExitStack() as stack:
        temporaries = {path: stack.enter_context(_temporary(path)) for path in writes}
        for path, temporary in temporaries.items():
            writes[path](temporary)
            temporary.chmod(0o644 & ~_umask())
        for path, temporary in temporaries.items():
            temporary.replace(path)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent.absolute())
    file = _locked_file(path)
    temporary = Path(file.name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        file.close()


def _locked_file(path: Path) -> IO[bytes]:
    """A new file beside `path`, locked; a sweeper may delete it between making and locking."""
    while True:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115
            dir=path.parent, prefix=UNFINISHED, suffix=path.suffix, delete=False
        )
        with suppress(OSError):  # a file system without locks, where nobody can sweep either
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.exists(file.name):
            return file
        file.close()


@lru_cache(maxsize=4096)
def sweep(folder: Path) -> None:
    """Deletes what killed writers left in a folder; once per process, since it takes a listing."""
    if fcntl is None:
        return
    for leftover in filter(Path.is_file, folder.glob(f"{UNFINISHED}*")):
        with suppress(OSError), open(leftover, "rb") as file:  # gone, not ours, or in use
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
