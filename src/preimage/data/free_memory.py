"""How much memory is free, and the refusal of what needs more: before it is taken, not after."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from preimage.data.freed_memory import give_back_freed_memory

if TYPE_CHECKING:
    import torch

GB = 1e9  # bytes
_NO_LIMIT = 2**60  # version 1 of cgroups writes a number like this where there is no limit
_CGROUPS = Path("/sys/fs/cgroup")
_PROC = Path("/proc")


def require_memory(
    needed: int | float, what: str, remedy: str, device: "torch.device | str" = "cpu"
) -> None:
    """Refuses what needs more memory than is free.

    Args:
        needed: bytes.
        what: needs them, such as "`size` 4000".
        remedy: what to do instead, such as "give a smaller `size`".

    Raises:
        MemoryTooSmall: naming both numbers. Nothing is raised where no one tells what is free.
    """
    free = free_memory(device)
    if free is not None and needed > free:
        give_back_freed_memory()
        free = free_memory(device)
    if free is not None and needed > free:
        raise MemoryTooSmall(
            f"{what} needs about {_shown(needed)} of memory, {_shown(free)} are free; {remedy}."
        )


class MemoryTooSmall(ValueError):
    """More memory is needed than is free; one line says how much, and what to do."""


def free_memory(device: "torch.device | str" = "cpu") -> int | None:
    """Bytes that this process may still take; None where the system does not tell.

    Of the machine's memory, of the control groups (containers) that the process is in, and of its
    own limit (`ulimit -v`), the one with the least left. A GPU's is what its driver says.
    """
    if str(device).partition(":")[0] == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    found = [n for n in (_machine(), *_groups(), _own_limit()) if n is not None]
    return max(min(found), 0) if found else None


def _machine() -> int | None:
    """What Linux calls available: free, or cached and free on demand; elsewhere, pages unused."""
    with suppress(OSError, ValueError, IndexError):
        for line in (_PROC / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _groups() -> Iterator[int]:
    """What is left in each control group that has a limit, of either version."""
    with suppress(OSError):
        for line in (_PROC / "self" / "cgroup").read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if controllers == "":
                names = ("memory.max", "memory.current", "inactive_file")
                yield from _left(_CGROUPS, name, *names)
            elif "memory" in controllers.split(","):
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                yield from _left(_CGROUPS / "memory", name, *names)


def _left(root: Path, name: str, limit: str, usage: str, cached: str) -> Iterator[int]:
    """Of a group and those above it; inside a container its name may not be there, its root is."""
    group = root / name.lstrip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(root):
            return
        with suppress(OSError, ValueError):
            most = int((folder / limit).read_text())  # "max" is no number, and no limit
            used = int((folder / usage).read_text()) - _statistic(folder / "memory.stat", cached)
            if most < _NO_LIMIT:
                yield most - used


def _statistic(path: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        rows = (line.split() for line in path.read_text().splitlines())
        return next((int(value) for key, value in rows if key == name), 0)
    return 0


def _own_limit() -> int | None:
    """What is left of the address space that the process may have."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return None
    with suppress(OSError, ValueError):
        pages = int((_PROC / "self" / "statm").read_text().split()[0])
        return int(most) - pages * os.sysconf("SC_PAGE_SIZE")
    return None


def _shown(count: int | float) -> str:
    if count < GB:
        return f"{count / 1e6:.3g} MB"
    return f"{count / GB:.1f} GB" if count < 10 * GB else f"{count / GB:,.0f} GB"
