"""Free memory: the machine's, its control groups', the process's own; and the refusal."""

from pathlib import Path

import pytest

from preimage.data import free_memory as module
from preimage.data.free_memory import MemoryTooSmall, free_memory, require_memory


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 8 GB, 6 of them available, and no control groups."""
    monkeypatch.setattr(module, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(module, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(module, "_own_limit", lambda: None)
    write(tmp_path / "proc" / "meminfo", "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_machine(machine: Path) -> None:
    assert free_memory() == 6_144_000_000


def test_the_group_with_the_least_left_decides(machine: Path) -> None:
    write(machine / "proc/self/cgroup", "0::/above/below\n")
    for name, most, used in (("above", "3000", "2500"), ("above/below", "max", "700")):
        write(machine / f"cgroup/{name}/memory.max", most)
        write(machine / f"cgroup/{name}/memory.current", used)
        write(machine / f"cgroup/{name}/memory.stat", "anon 5\ninactive_file 400\n")
    assert free_memory() == 900  # what the group above caches can be had


def test_a_group_of_version_1_seen_from_inside_a_container(machine: Path) -> None:
    write(machine / "proc/self/cgroup", "3:cpu:/x\n2:memory:/docker/abc\n")
    write(machine / "cgroup/memory/memory.limit_in_bytes", "5000")
    write(machine / "cgroup/memory/memory.usage_in_bytes", "1000")
    assert free_memory() == 4000
    write(machine / "cgroup/memory/memory.limit_in_bytes", str(2**63 - 4096))
    assert free_memory() == 6_144_000_000


def test_the_refusal_names_both_numbers(machine: Path) -> None:
    require_memory(6e9, "`size` 9", "give a smaller one")
    with pytest.raises(MemoryTooSmall) as error:
        require_memory(11e9, "`size` 9000", "give a smaller one")
    assert str(error.value) == (
        "`size` 9000 needs about 11 GB of memory, 6.1 GB are free; give a smaller one."
    )


def test_where_nobody_tells_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_machine", lambda: None)
    monkeypatch.setattr(module, "_groups", lambda: iter(()))
    monkeypatch.setattr(module, "_own_limit", lambda: None)
    assert free_memory() is None
    require_memory(1e30, "this", "no")
