"""Whole files or none: beside killed writers, living ones, and on a full disk."""

import fcntl
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from preimage.data.atomic_files import UNFINISHED, sweep, write_atomically, write_together
from preimage.data.checkpoints import Checkpoint, read_checkpoint, write_checkpoint


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_writer_left_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    for name in ("dead.json", "living.json"):
        (tmp_path / f"{UNFINISHED}{name}").write_text("half")
    (tmp_path / ".hidden.json").write_text("a user's")
    with open(tmp_path / f"{UNFINISHED}living.json") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        write_atomically(tmp_path / "new.json", lambda path: path.write_text("whole"))
    assert names(tmp_path) == {f"{UNFINISHED}living.json", ".hidden.json", "new.json"}
    assert (tmp_path / "new.json").read_text() == "whole"


def test_a_file_that_is_being_written_is_locked(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        path.write_text("whole")
        sweep.__wrapped__(tmp_path)  # as another process would
        assert path.exists()

    write_atomically(tmp_path / "new.json", write)
    assert names(tmp_path) == {"new.json"}


def test_tensors_keep_the_lock_of_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is filled, not replaced by another one that nobody holds."""
    swept = []

    def sweep_first(path: Path, mode: int) -> None:
        swept.append(path.name)
        sweep.__wrapped__(tmp_path)  # as another process would between writing and renaming

    monkeypatch.setattr(Path, "chmod", sweep_first)
    write_checkpoint(tmp_path / "d.safetensors", Checkpoint("decoder", {}, {"a": torch.ones(3)}))
    assert len(swept) == 2
    assert names(tmp_path) == {"d.safetensors", "d.json"}


def test_of_several_files_none_is_there_if_one_fails(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_together({tmp_path / "a": lambda path: path.write_text("new"), tmp_path / "b": fail})
    assert names(tmp_path) == {"a"}
    assert (tmp_path / "a").read_text() == "old"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows beyond this many bytes: a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("card", [{}, {"skipped": ["x" * 9000]}], ids=["tensors", "card"])
def test_a_full_disk_leaves_neither_tensors_nor_card(
    card: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "d.safetensors"
    old = Checkpoint("decoder", {"old": True}, {"a": torch.ones(3)})
    write_checkpoint(path, old)
    size = 4000 if card else 30000
    new = Checkpoint("decoder", {"old": False, **card}, {"a": torch.ones(10 if card else 10**4)})
    with largest_file(size), pytest.raises(OSError, match="too large"):
        write_checkpoint(path, new)
    assert names(tmp_path) == {"d.safetensors", "d.json"}
    assert read_checkpoint(path, "decoder").card == {"old": True}
    assert '"old": true' in path.with_suffix(".json").read_text()
