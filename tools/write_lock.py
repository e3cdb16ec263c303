"""Writes locked.txt: every package that CI installs, with the hash of its file.

    python tools/write_lock.py           after a change of pyproject.toml or constraints.txt
    python tools/write_lock.py --check   exit code 1 where locked.txt lacks a package or has another

pip resolves the extras under constraints.txt and downloads nothing but metadata. torch is left out:
its builds for CPUs and for each CUDA are different files of one version, and which of them a
machine takes is its own affair; so is preimage itself. Hashes are those of the files for this
Python and this platform, which are CI's.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "locked.txt"
EXTRAS = ".[browser,dist,docs,notebook,serve,test]"
#: Without dependencies of their own, which would bring another torch; and what those need.
ALONE, WITH_DEPENDENCIES = ("torchvision", "timm"), ("transformers",)
LEFT_OUT = ("torch", "preimage")
HEADING = """# Every package that CI installs, with its hash, for Python {python} on {platform}.
# Written by tools/write_lock.py from pyproject.toml and constraints.txt; without torch.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = lock({**resolve(EXTRAS, *WITH_DEPENDENCIES), **resolve("--no-deps", *ALONE)})
    if check:
        return int(not LOCK.exists() or LOCK.read_text("utf-8") != text)
    LOCK.write_text(text, "utf-8")
    return 0


def resolve(*wanted: str) -> dict[str, tuple[str, str]]:
    """Name → version and SHA-256 of every package that pip would install for this.

    Raises:
        subprocess.CalledProcessError: pip finds no such set.
    """
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        options = ["--report", report.name, "-c", str(ROOT / "constraints.txt")]
        subprocess.run([*pip, *options, *wanted], cwd=ROOT, check=True)
        return packages(json.loads(Path(report.name).read_text("utf-8")))


def packages(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Of pip's installation report."""
    found = {}
    for item in report["install"]:
        name, version = item["metadata"]["name"].lower(), item["metadata"]["version"]
        if name not in LEFT_OUT:
            sha256 = item["download_info"]["archive_info"]["hashes"]["sha256"]
            found[name] = (version, sha256)
    return found


def lock(packages: dict[str, tuple[str, str]]) -> str:
    """The lines of a requirements file with hashes."""
    python = ".".join(map(str, sys.version_info[:2]))
    lines = [
        f"{name}=={version} --hash=sha256:{sha256}"
        for name, (version, sha256) in sorted(packages.items())
    ]
    return HEADING.format(python=python, platform=sys.platform) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
