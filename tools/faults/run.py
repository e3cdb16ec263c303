"""One fault: a command is disturbed, then given again; both must be right."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from faults.verbs import Verb, contents, environment, leftovers, make_inputs

LIMIT = 180.0  # seconds; what takes longer hangs
PRELOAD = Path(__file__).with_name("preload.c")


@dataclass
class Result:
    """What came of a fault.

    Args:
        first: exit code of the disturbed command; negative for signals.
        said: the last line that it wrote to stderr.
        wrong: what is not as it should be.
    """

    verb: str
    fault: str
    number: int
    first: int = 0
    said: str = ""
    wrong: list[str] = field(default_factory=list)


class Case:
    """A folder of its own, in which a verb meets a fault."""

    def __init__(
        self, verb: Verb, base: Path, number: int, whole: dict[str, str], took: float
    ) -> None:
        self.verb, self.whole, self.took = verb, whole, took
        self.folder = base / f"case-{number}"
        self.generator = Random(number)
        make_inputs(self.folder)
        self.out = self.folder / "out"
        self.stderr = self.folder / "stderr"

    def start(self, **more: str) -> subprocess.Popen[bytes]:
        with self.stderr.open("ab") as stderr:
            return subprocess.Popen(
                self.verb.command,
                cwd=self.folder,
                env=environment(**more),
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Its exit code; a process that hangs is killed, which counts as -99."""
        try:
            return process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return -99

    def text(self) -> str:
        return self.stderr.read_text(errors="replace")


def meet(
    fault: str, verb: Verb, base: Path, number: int, whole: dict[str, str], took: float
) -> Result:
    """The verb under the fault, then again without it."""
    case = Case(verb, base, number, whole, took)
    result = Result(verb.name, fault, number)
    with FAULTS[fault](case, result):
        pass
    text = case.text()
    lines = [line for line in text.splitlines() if line.strip()]
    result.said = lines[-1][:160] if lines else ""
    if result.first == -99:
        result.wrong.append("hangs")
    if "Traceback (most recent call last)" in text:
        result.wrong.append("traceback")
    if result.first > 0 and not lines:
        result.wrong.append("no word")
    if result.first == 0:
        result.wrong += _compare(case, "reported success")
    again = case.wait(case.start())
    if again != 0:
        result.wrong.append(f"again: exit code {again}: {case.text()[-200:]}")
    result.wrong += _compare(case, "again")
    if left := leftovers(case.out):
        result.wrong.append(f"left behind: {', '.join(left)}")
    shutil.rmtree(case.folder, ignore_errors=True)
    return result


def _compare(case: Case, when: str) -> list[str]:
    found = contents(case.out) if case.out.exists() else {}
    other = [name for name, value in case.whole.items() if found.get(name) != value]
    return [f"{when}: not as unbroken: {', '.join(other)}"] if other else []


def signalled(number: int) -> Callable[[Case, Result], contextlib.AbstractContextManager[None]]:
    """At a random moment of the command's time."""

    @contextlib.contextmanager
    def fault(case: Case, result: Result) -> Iterator[None]:
        process = case.start()
        end = time.monotonic() + case.generator.uniform(0.15, 0.95) * case.took
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is None:
            process.send_signal(number)
        result.first = case.wait(process)
        yield
        _no_orphans(process.pid, result)
        allowed = {0, -signal.SIGKILL} if number == signal.SIGKILL else {0, 128 + number}
        if result.first not in allowed and not _at_the_edge(case, number, result):
            result.wrong.append(f"exit code {result.first} after signal {number}")

    return fault


def _at_the_edge(case: Case, number: int, result: Result) -> bool:
    """Before Python runs the package, or when all is done, the signal's own effect is right."""
    done = case.out.exists() and not _compare(case, "")
    return result.first in (-number, 1) and (not case.out.exists() or done)


def _no_orphans(session: int, result: Result) -> None:
    """Nothing of the command's session is left ten seconds later."""
    end = time.monotonic() + 10
    while (left := _of_session(session)) and time.monotonic() < end:
        time.sleep(0.1)
    if left:
        result.wrong.append(f"{len(left)} processes left")
        os.killpg(session, signal.SIGKILL)


def _of_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[3]) == session and after_name[0] != "Z":
                    found.append(int(entry.name))
    return found


@contextlib.contextmanager
def _mounted(case: Case, options: str) -> Iterator[None]:
    """A small disk at `out`; needs root."""
    case.out.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(case.out)], check=True)
    kept = case.folder / "kept"
    try:
        yield
        shutil.copytree(case.out, kept)
    finally:
        subprocess.run(["umount", str(case.out)], check=True)
    shutil.copytree(kept, case.out, dirs_exist_ok=True)


@contextlib.contextmanager
def full_disk(case: Case, result: Result) -> Iterator[None]:
    """Room for a random part of the results."""
    whole = case.folder.with_name(f"{case.verb.name}-a") / "out"
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    pages = case.generator.randint(1, max(size // 4096, 1))
    with _mounted(case, f"size={4 * pages}k"):
        result.first = case.wait(case.start())
    yield


@contextlib.contextmanager
def read_only(case: Case, result: Result) -> Iterator[None]:
    with _mounted(case, "ro"):
        result.first = case.wait(case.start())
    if result.first not in (1, 2):
        result.wrong.append(f"exit code {result.first}")
    yield


@contextlib.contextmanager
def broken_disk(case: Case, result: Result) -> Iterator[None]:
    """Writing fails with EIO after a random number of calls."""
    after = str(case.generator.choice((0, 1, 2, 3, 5, 8, 13, 30, 80, 200)))
    faults = {"FAULT_PATH": f"{case.out}/", "FAULT_AFTER": after}
    result.first = case.wait(case.start(LD_PRELOAD=str(library(case.folder.parent)), **faults))
    yield


@contextlib.contextmanager
def jumping_clock(case: Case, result: Result) -> Iterator[None]:
    """The clock on the wall jumps by a year, to the past or the future."""
    jump = case.generator.choice((-1, 1)) * 365 * 86400
    faults = {"FAULT_CLOCK": str(jump), "FAULT_AFTER": str(case.generator.randint(0, 400))}
    result.first = case.wait(case.start(LD_PRELOAD=str(library(case.folder.parent)), **faults))
    if result.first:
        result.wrong.append(f"exit code {result.first}")
    yield


@contextlib.contextmanager
def two_at_once(case: Case, result: Result) -> Iterator[None]:
    first = case.start()
    time.sleep(case.generator.uniform(0, 0.7) * case.took)
    second = case.start()
    codes = sorted(case.wait(process) for process in (first, second))
    result.first = codes[-1]
    if codes != [0, 0] and (codes != [0, 2] or case.verb.shared):
        result.wrong.append(f"exit codes {codes}")
    result.wrong += _compare(case, "two at once")
    yield


def library(folder: Path) -> Path:
    """The library that breaks writing and the clock, compiled once."""
    path = folder / "preload.so"
    if not path.exists():
        words = ["cc", "-shared", "-fPIC", "-O1", "-o", str(path), str(PRELOAD), "-ldl"]
        subprocess.run(words, check=True)
    return path


Fault = Callable[[Case, Result], contextlib.AbstractContextManager[None]]
FAULTS: dict[str, Fault] = {
    "kill -9": signalled(signal.SIGKILL),
    "SIGTERM": signalled(signal.SIGTERM),
    "Ctrl-C": signalled(signal.SIGINT),
    "full disk": full_disk,
    "read-only folder": read_only,
    "EIO": broken_disk,
    "clock jumps": jumping_clock,
    "two at once": two_at_once,
}
#: How often, for each verb.
TIMES = {
    "kill -9": 4, "SIGTERM": 3, "Ctrl-C": 3, "full disk": 3, "read-only folder": 1, "EIO": 4,
    "clock jumps": 1, "two at once": 2,
}  # fmt: skip
