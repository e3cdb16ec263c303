"""Costs in words and in sums."""

import time

import pytest

from preimage.data import cost
from preimage.data.cost import Plain, Sum, in_bytes, start_up, takes


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (2_112, "2.1 kB"),
        (34_400, "34 kB"),
        (350e6, "350 MB"),
        (1.24e9, "1.2 GB"),
        (2.5e12, "2,500 GB"),
    ],
)
def test_bytes_in_words(count: int | float, words: str) -> None:
    assert in_bytes(count) == words


def test_what_is_not_known_is_not_said() -> None:
    assert (
        takes(Plain("", 290.0, 1.2e9, 30e6)) == "about 5 min, 1.2 GB of memory, 30 MB on the disk"
    )
    assert takes(Plain("", 290.0)) == "about 5 min"
    assert str(Plain("seven limits", 2)) == "seven limits: about 2 s"
    assert str(Plain("fig1, finished", 0)) == "fig1, finished"


def test_jobs_one_after_the_other() -> None:
    both = Sum([Plain("a", 60, 3e9, 5e6), Plain("b", 90, 2e9, 7e6)], "two:", "open")
    assert (both.seconds, both.memory, both.disk) == (150, 3e9, 12e6)
    assert str(both).splitlines() == [
        "two:",
        "a: about 60 s, 3.0 GB of memory, 5 MB on the disk",
        "b: about 2 min, 2.0 GB of memory, 7 MB on the disk",
        "open",
    ]
    assert (Sum([]).seconds, Sum([]).memory, str(Sum([]))) == (0, 0, "")


def test_the_start_of_a_process_is_what_this_one_has_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost.time, "process_time", lambda: 3.5)
    assert start_up() == 3.5
    monkeypatch.setattr(time, "process_time", lambda: 3600.0)
    assert start_up() == 10  # a notebook that has computed for an hour has not begun for an hour
