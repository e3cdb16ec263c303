"""What a long command takes, said on stderr when it starts: what is left of its time, and more.

The words are those of `--dry-run`. Nothing is said of what takes less than half a minute.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from preimage.data.cost import Cost, Plain, start_up, takes
from preimage.data.progress import watched

LONG = 30.0  # seconds
#: Steps that tell the pace of those to come: of so many seconds, and so many steps.
_SECONDS, _STEPS = 3.0, 3


def announce(measure: Callable[[], Cost], resumed: bool = True) -> None:
    """Says what a job takes that is about to begin.

    Args:
        measure: measures it. If it can't, nothing is said: what is wrong is the job's to say.
        resumed: the same command goes on where it was stopped.
    """
    try:
        cost = measure()
    except ValueError:
        return
    if cost.seconds < LONG:
        return
    on = ", the same command goes on" if resumed else ""
    print(f"preimage: {takes(_in_all(cost))}; Ctrl-C stops{on}.", file=sys.stderr)


@contextmanager
def announced_by_pace(bar: str, disk: int | float = 0, resumed: bool = True) -> Iterator[None]:
    """Says it as soon as the first steps of a bar tell their pace, which costs nothing.

    Args:
        bar: its label; all its steps take about as long.
        disk: bytes that the job writes.
    """
    first: tuple[int, float] | None = None
    said = False

    def hear(label: str, done: int, total: int | None) -> None:
        nonlocal first, said
        if said or label != bar or total is None:
            return
        now = time.perf_counter()
        if first is None:  # the very first step prepares much, and is no measure of the others
            first = done, now
            return
        steps, seconds = done - first[0], now - first[1]
        if steps >= _STEPS and seconds >= _SECONDS:
            said = True
            left = (total - done) * seconds / steps
            announce(lambda: Plain("", left, memory_so_far(), disk), resumed)

    with watched(hear):
        yield


def whole(cost: Cost) -> str:
    """The last line of a dry run: the same, the start of the command included."""
    return takes(_in_all(cost, start_up()))


def _in_all(cost: Cost, start: float = 0.0) -> Plain:
    """With the start, and no less memory than measuring has taken already."""
    memory = max(cost.memory, memory_so_far())
    return Plain("", cost.seconds + start, memory, cost.disk)


def memory_so_far() -> float:
    """Bytes that this process has held at the most; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most if sys.platform == "darwin" else 1024 * most)
