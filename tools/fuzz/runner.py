"""One case: a process of its own with limits on time and memory, and a judgement."""

import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar

from fuzz.subjects import Subject
from preimage.app.cli.main import main

SECONDS, GIB = 60.0, 2.0  # what a case may take
_ROOM = 6 * 2**30  # of address space beyond the parent's: no case takes the machine down


@dataclass(frozen=True)
class Case:
    """A spoilt file and what came of it.

    Args:
        said: the end of what the command wrote to stderr, or what is wrong.
    """

    RIGHT: ClassVar[tuple[str, ...]] = ("refused", "done")
    number: int
    subject: str
    file: str
    outcome: str
    said: str
    seconds: float
    memory: float

    @property
    def right(self) -> bool:
        return self.outcome in self.RIGHT


def run_cases(
    base: Path,
    subjects: list[Subject],
    seed: int,
    numbers: Iterable[int],
    workers: int,
    end: float,
    keep: Path | None = None,
) -> Iterator[Case]:
    """The cases of these numbers, until the clock says `end`; several at a time."""
    waiting = iter(numbers)
    running: dict[int, _Running] = {}
    while True:
        while len(running) < workers and time.monotonic() < end:
            number = next(waiting, None)
            if number is None:
                break
            case = _Running(base, subjects, seed, number)
            running[case.process] = case
        if not running:
            return
        for process in list(running):
            if (found := running[process].poll(keep)) is not None:
                del running[process]
                yield found
        time.sleep(0.002)


class _Running:
    """A case whose process has begun."""

    def __init__(self, base: Path, subjects: list[Subject], seed: int, number: int) -> None:
        generator = Random(seed * 1_000_003 + number)
        (self.subject,) = generator.choices(subjects, [s.share for s in subjects])
        self.number, self.folder = number, base / "cases" / str(number)
        shutil.copytree(base / self.subject.name, self.folder)
        self.file = self.subject.spoil_one(self.folder, generator)
        self.before = _files(self.folder)
        self.stderr = self.folder.with_name(f"{number}.stderr")
        self.start = time.monotonic()
        self.late = False
        self.process = os.fork()
        if not self.process:
            self._work()

    def _work(self) -> None:
        """In the child: never returns."""
        code = 99
        try:
            os.setsid()
            os.chdir(self.folder)
            room = _address_space() + _ROOM
            resource.setrlimit(resource.RLIMIT_AS, (room, room))
            stderr = os.open(self.stderr, os.O_WRONLY | os.O_CREAT)
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 0)
            os.dup2(nothing, 1)
            os.dup2(stderr, 2)
            sys.stdout, sys.stderr = os.fdopen(os.dup(1), "w"), os.fdopen(2, "w")
            code = main(self.subject.command)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def poll(self, keep: Path | None) -> Case | None:
        """The case, once it has ended."""
        process, status, usage = os.wait4(self.process, os.WNOHANG)
        seconds = time.monotonic() - self.start
        if not process:
            if seconds > SECONDS and not self.late:
                self.late = True
                os.killpg(self.process, signal.SIGKILL)
            return None
        memory = usage.ru_maxrss / 2**20
        outcome, said = self._judge(status, memory)
        case = Case(
            self.number, self.subject.name, self.file, outcome, said, round(seconds, 2), memory
        )
        if keep is not None and not case.right:
            shutil.copytree(self.folder, keep / str(self.number), dirs_exist_ok=True)
        shutil.rmtree(self.folder)
        self.stderr.unlink(missing_ok=True)
        return case

    def _judge(self, status: int, memory: float) -> tuple[str, str]:
        text = self.stderr.read_text(errors="replace") if self.stderr.exists() else ""
        said = " ".join(text.split())[-400:]
        code = os.waitstatus_to_exitcode(status)
        hidden = sorted(f for f in _files(self.folder) - self.before if Path(f).name[0] == ".")
        if self.late:
            return "hang", said
        if code < 0:
            return "crash", f"signal {-code}: {said}"
        if "Traceback (most recent call last)" in text:
            return "traceback", said
        if memory > GIB:
            return "memory", f"{memory:.2f} GiB: {said}"
        if hidden:
            return "left behind", ", ".join(hidden)
        if code == 0:
            return self._honest(said)
        if code != 2:
            return f"exit code {code}", said
        lines = [line for line in text.splitlines() if line.strip()]
        if not lines or not lines[-1].startswith("preimage: "):
            return "no line", said
        return "refused", lines[-1]

    def _honest(self, said: str) -> tuple[str, str]:
        try:
            wrong = self.subject.honest(self.folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            wrong = f"no result: {error}"
        return ("done", said) if wrong is None else ("silent", f"{wrong}; {said}")


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
