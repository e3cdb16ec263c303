"""What a job will take on this machine: its time, memory and disk, in numbers and in words."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from preimage.data.tables import duration

_LONGEST_START = 10.0  # seconds; a process that has done more than begin has taken more


@runtime_checkable
class Cost(Protocol):
    """What is left to do of a job; its text says what the numbers are of."""

    @property
    def seconds(self) -> int | float:
        """By the clock."""

    @property
    def memory(self) -> int | float:
        """Bytes at the most that are held at once; 0 where that is not known."""

    @property
    def disk(self) -> int | float:
        """Bytes that will be written."""


@dataclass(frozen=True)
class Plain:
    """A cost and what it is of, such as `kernel size: 7 limits of one photo`."""

    what: str
    seconds: int | float
    memory: int | float = 0
    disk: int | float = 0

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.what, takes(self) if self.seconds else "")))


@dataclass(frozen=True)
class Sum:
    """Of jobs that are done one after the other, with a line above them and one below."""

    parts: Sequence[Cost]
    heading: str = ""
    note: str = ""

    @property
    def seconds(self) -> int | float:
        """Of all."""
        return sum(part.seconds for part in self.parts)

    @property
    def memory(self) -> int | float:
        """Of the one that holds most."""
        return max((part.memory for part in self.parts), default=0)

    @property
    def disk(self) -> int | float:
        """Of all."""
        return sum(part.disk for part in self.parts)

    def __str__(self) -> str:
        lines = (self.heading, *map(str, self.parts), self.note)
        return "\n".join(line for line in lines if line)


def takes(cost: Cost) -> str:
    """In words, such as `about 5 min, 1.2 GB of memory, 30 MB on the disk`."""
    parts = [f"about {duration(float(cost.seconds))}"]
    parts += [f"{in_bytes(cost.memory)} of memory"] if cost.memory else []
    parts += [f"{in_bytes(cost.disk)} on the disk"] if cost.disk else []
    return ", ".join(parts)


def in_bytes(count: int | float) -> str:
    """Such as `12 kB`, `350 MB` or `1.2 GB`."""
    for unit, size in (("kB", 1e3), ("MB", 1e6)):
        if count < 1000 * size:
            return (
                f"{count / size:.2g} {unit}" if count < 100 * size else f"{count / size:.0f} {unit}"
            )
    return f"{count / 1e9:,.1f} GB" if count < 1e11 else f"{count / 1e9:,.0f} GB"


def start_up() -> float:
    """Seconds that a process like this one takes until it begins its job.

    Importing libraries takes most of them. They are not measured anew, but what this process has
    taken so far, at the most 10.
    """
    return min(time.process_time(), _LONGEST_START)
