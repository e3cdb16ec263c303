"""One folder has one writer at a time, and a killed one leaves no lock behind."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from waiting import LIMIT, wait_for

from preimage.data.sole_writer import LOCK_FILE, sole_writer


def hold(folder: Path) -> None:
    with sole_writer(folder):
        (folder / "held").touch()
        signal.pause()


def test_a_second_writer_is_told_of_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with sole_writer(folder):
        said = rf"`out` {folder} is being written by process {os.getpid()} on .*, since 20.*; wait"
        with pytest.raises(ValueError, match=said), sole_writer(folder):
            pass
        assert (folder / LOCK_FILE).exists()  # the refused one has not deleted it
    assert not (folder / LOCK_FILE).exists()
    assert not folder.exists()  # nobody wrote anything
    with sole_writer(tmp_path / "a" / "b"):
        (tmp_path / "a" / "c").touch()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["c"]


def test_the_lock_goes_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), sole_writer(tmp_path):
        raise KeyError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_lock_that_says_nothing(text: str, tmp_path: Path) -> None:
    with sole_writer(tmp_path):
        (tmp_path / LOCK_FILE).write_text(text)
        message = "being written by another process; wait for it"
        with pytest.raises(ValueError, match=message), sole_writer(tmp_path):
            pass


def test_other_ranks_leave_it_to_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sole_writer(tmp_path):
        monkeypatch.setenv("RANK", "1")
        with sole_writer(tmp_path):
            pass
        assert (tmp_path / LOCK_FILE).exists()


def test_a_killed_writer_leaves_the_folder_free(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path,))
    process.start()
    wait_for("the lock", (tmp_path / "held").exists)
    message = f"by process {process.pid} "
    with pytest.raises(ValueError, match=message), sole_writer(tmp_path):
        pass
    process.kill()
    process.join(LIMIT)
    with sole_writer(tmp_path):
        pass
