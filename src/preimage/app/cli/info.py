"""`preimage info`: what a bug report should tell of the machine and of what is installed on it.

Versions are read from what is installed, so that nothing heavy is imported; torch only where its
build may use a GPU, to ask which.
"""

import json
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path
from typing import Any

from preimage._version import __version__
from preimage.app.cli.commands import InfoCommand
from preimage.data.free_memory import GB, free_memory

_PACKAGES = ("torch", "numpy", "pillow", "scikit-image", "scipy", "matplotlib", "safetensors")
_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "TORCH_HOME", "HF_HOME")
_INSTRUCTIONS = ("avx2", "avx512f", "amx_tile", "asimd")
_REQUIREMENT = re.compile(r"""([\w.-]+)[^;]*;\s*extra\s*==\s*['"]([\w-]+)['"]""")
_FOR_DEVELOPERS = {"dist", "docs", "test"}


def run(config: InfoCommand) -> int:
    """Prints it, for people or as JSON."""
    facts = gather()
    if config.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
        return 0
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name.ljust(width)}  {_in_words(value)}")
    return 0


def gather() -> dict[str, Any]:
    """Versions, processor, device, threads, memory, caches, extras; each as plain data."""
    free = free_memory()
    return {
        "preimage": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        **{name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": _cores(),
        "threads": os.environ.get("OMP_NUM_THREADS") or "torch's own choice",
        "device": _device(),
        "memory free": None if free is None else f"{free / GB:.1f} GB",
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "caches": _caches(),
        "extras": {name: _missing(packages) for name, packages in extras().items()},
    }


def extras() -> dict[str, list[str]]:
    """Extra → its packages, as the installed preimage declares them; those of developers left out.

    Empty where preimage runs from a folder and is not installed.
    """
    found: dict[str, list[str]] = {}
    try:
        for line in requires("preimage") or []:
            if match := _REQUIREMENT.match(line):
                package, extra = match.groups()
                found.setdefault(extra, []).append(package)
    except PackageNotFoundError:
        return {}
    return {name: found[name] for name in sorted(found) if name not in _FOR_DEVELOPERS}


def _missing(packages: list[str]) -> str:
    absent = [package for package in packages if _version(package) is None]
    return f"lacks {', '.join(absent)}" if absent else "installed"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """Its name, and which of the instructions it has that decide rounding and speed."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in lines.items()}
    flags = fields.get("flags", fields.get("Features", "")).split()
    known = [name for name in _INSTRUCTIONS if name in flags]
    return ", ".join([fields.get("model name", platform.machine()), *known])


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _device() -> str:
    """What `auto` takes; torch is asked only if its build could take a GPU."""
    installed = _version("torch") or ""
    if installed.endswith("+cpu") or _built_for_cpus():
        return "cpu (this build of torch is for CPUs alone)"
    import torch

    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name()})"
    return "cpu (torch finds no GPU)"


def _built_for_cpus() -> bool:
    """Whether torch's own record of its build names no CUDA; read, not imported."""
    try:
        path = distribution("torch").locate_file("torch/version.py")
        text = Path(str(path)).read_text(encoding="utf-8")
    except (PackageNotFoundError, OSError):
        return False
    return re.search(r"^cuda\b.*= None$", text, re.MULTILINE) is not None


def _caches() -> dict[str, str]:
    """Folder → what lies there, of the caches that weights of others are kept in."""
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    folders = (
        Path(os.environ.get("TORCH_HOME", home / "torch")) / "hub" / "checkpoints",
        Path(os.environ.get("HF_HOME", home / "huggingface")) / "hub",
    )
    return {str(folder): _content(folder) for folder in folders}


def _content(folder: Path) -> str:
    if not folder.is_dir():
        return "not there"
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / GB:.2f} GB"


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {one}" for name, one in value.items()) or "none"
    return "not installed" if value is None else str(value)
