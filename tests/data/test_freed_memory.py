"""Freed memory: kept by a process that asks for it, and given back on demand."""

import subprocess
import sys

import pytest

from preimage.data import freed_memory

#: Prints how many MB a process has after it freed 100 MB, and after it gave back what it kept.
_PROGRAM = """
import sys
from preimage.data.freed_memory import give_back_freed_memory, keep_freed_memory

def resident():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1000

if sys.argv[1] == "keep":
    keep_freed_memory()
before = resident()
bytearray(100_000_000)
print(resident() - before)
give_back_freed_memory()
print(resident() - before)
"""


@pytest.mark.skipif(
    freed_memory._c_function("mallopt") is None, reason="the C library is not glibc"
)
@pytest.mark.parametrize("word", ["keep", "give back"])
def test_freed_memory_is_kept_until_it_is_wanted(word: str) -> None:
    command = [sys.executable, "-c", _PROGRAM, word]
    kept, left = subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert (float(kept) > 90) is (word == "keep")
    assert float(left) < 20


def test_other_c_libraries_do_as_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert freed_memory._c_function("no_such_function_at_all") is None
    monkeypatch.setattr(freed_memory, "_c_function", lambda name: None)
    freed_memory.keep_freed_memory()
    freed_memory.give_back_freed_memory()
