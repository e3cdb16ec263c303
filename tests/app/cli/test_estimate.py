"""The line at the start of a long command: its words, and when it is printed."""

import re
from pathlib import Path

import pytest
from command import run
from photo_files import picture

from preimage.app.cli import demo, estimate, probe, reproduce, reproduce_all, retain, sweep
from preimage.app.cli.estimate import announce, announced_by_pace, memory_so_far, whole
from preimage.data.cost import Cost, Plain
from preimage.data.progress import progress_bar

ON = "Ctrl-C stops, the same command goes on."


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the clock shows, in a list of one."""
    now = [0.0]
    monkeypatch.setattr(estimate.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(estimate, "memory_so_far", lambda: 1.2e9)
    return now


def test_a_long_job_is_announced_and_a_short_one_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(estimate, "memory_so_far", lambda: 350e6)
    announce(lambda: Plain("", 290, 1.2e9, 30e6))
    announce(lambda: Plain("", 3600, 20e6), resumed=False)
    announce(lambda: Plain("", 29.9, 350e6))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"preimage: about 5 min, 1.2 GB of memory, 30 MB on the disk; {ON}",
        "preimage: about 60 min, 350 MB of memory; Ctrl-C stops.",
    ]


def test_what_can_t_be_measured_is_the_job_s_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    def measure() -> Cost:
        raise ValueError("the photo is too small")

    announce(measure)
    assert capsys.readouterr().err == ""


def steps(clock: list[float], done: int, total: int, seconds: float, label: str = "train") -> None:
    """The rest of a run that was stopped behind `done` steps."""
    with announced_by_pace("train", disk=2e6), progress_bar(label, total) as advance:
        advance(done)
        for _ in range(total - done):
            clock[0] += seconds
            advance()


def test_the_pace_of_the_first_steps_tells_what_is_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """Six steps of 0.5 s: 194 are left, 97 s."""
    steps(clock, done=400, total=600, seconds=0.5)
    said = f"preimage: about 2 min, 1.2 GB of memory, 2 MB on the disk; {ON}\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("done", "total", "seconds", "label"),
    [
        (0, 50, 0.5, "train"),  # 22 s are left
        (0, 200, 0.01, "train"),  # done before its pace is known
        (600, 600, 0.5, "train"),  # nothing to do
        (0, 600, 0.5, "read"),  # another bar
    ],
)
def test_nothing_is_said_of_what_is_short(
    clock: list[float],
    capsys: pytest.CaptureFixture[str],
    done: int,
    total: int,
    seconds: float,
    label: str,
) -> None:
    steps(clock, done, total, seconds, label)
    assert capsys.readouterr().err == ""


def test_a_dry_run_counts_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory_so_far() >= 0
    monkeypatch.setattr(estimate, "start_up", lambda: 5.0)
    monkeypatch.setattr(estimate, "memory_so_far", lambda: 0.0)
    assert whole(Plain("steps", 40, 0, 2e6)) == "about 45 s, 2 MB on the disk"


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[Cost]:
    """The costs that verbs announce, while they run on small photos."""
    costs: list[Cost] = []
    for verb in (demo, probe, reproduce, reproduce_all, retain, sweep):
        monkeypatch.setattr(verb, "announce", lambda measure, resumed=True: costs.append(measure()))
    return costs


def test_a_resumed_retention_has_its_solutions_left(
    announced: list[Cost], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for index in range(8):
        picture(index, 19, 21).save(f"photos/{index:02d}.png")
    some = ["--tile", "2", "--positions", "24", "--scored", "8", "--threads", "1"]
    for _ in range(2):
        words = ["--data", "photos", "--size", "16", "--layers", "conv1_1", *some]
        assert run("retain", *words) == 0
    first, second = announced
    assert first.disk == 4 * 4**2 * (6 * 7 // 2 + 2 * 6)  # float32, 4 positions in 6 and 2 tiles
    assert second.disk == 0


def test_a_sweep_says_what_is_left(
    announced: list[Cost], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "run_sweep", lambda *_: pytest.fail("run"))
    words = [
        "--width",
        "2",
        "--networks",
        "2",
        "--size",
        "32",
        "--layer",
        "conv1",
        "--workers",
        "1",
    ]
    with pytest.raises(BaseException, match="run"):
        run("sweep", *words, "--out", str(tmp_path))
    (cost,) = announced
    assert cost.disk > 0
    assert re.match(r"2 cells \(0 done\) on 4 photos; 2 jobs", str(cost))


def test_reproduce_says_it_of_its_figure_and_of_all(
    announced: list[Cost], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduce_all, "FIGURES", {"fig1": reproduce_all.FIGURES["fig1"]})
    for _ in range(2):
        assert run("reproduce", "all", "--out", str(tmp_path)) == 0
    assert run("reproduce", "fig1", "--out", str(tmp_path)) == 0
    assert [str(cost) for cost in announced] == [
        "fig1: about 1 s",
        "fig1, finished",
        "fig1: about 1 s",
    ]
