"""Builds the sdist and from it the wheel, and tries the wheel in a fresh environment.

    python tools/check_dist.py           exit code 1 and one line where something is wrong

No network is asked: the build takes the setuptools at hand, and the fresh environment sees the
packages of the one that runs this (torch is not installed twice). What users get is looked at in
the wheel: every file of the source is in it, and twine finds its description in order.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "build" / "dist"
IMPORT = """
import preimage
from pathlib import Path
assert Path(preimage.__file__).is_relative_to({folder!r}), preimage.__file__
assert preimage.vgg16().cut("conv3").out_channels == 256
"""


def main() -> int:
    DIST.mkdir(parents=True, exist_ok=True)
    for old in DIST.iterdir():
        old.unlink()
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(DIST), str(ROOT)]
    run(build, quiet=True)
    run([sys.executable, "-m", "twine", "check", "--strict", *map(str, sorted(DIST.iterdir()))])
    (wheel,) = DIST.glob("*.whl")
    if lost := missing(wheel, ROOT / "src"):
        print(f"{wheel.name} lacks {', '.join(lost)}; see package-data in pyproject.toml.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        try_out(wheel, Path(folder))
    print(f"{wheel.name}: installed into a fresh environment, and runs")
    return 0


def missing(wheel: Path, source: Path) -> list[str]:
    """The files of the source that a wheel lacks."""
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    files = (path for path in sorted(source.glob("preimage/**/*")) if path.is_file())
    names = [
        path.relative_to(source).as_posix() for path in files if "__pycache__" not in path.parts
    ]
    return [name for name in names if name not in there]


def try_out(wheel: Path, folder: Path) -> None:
    """Installs a wheel into a new environment in this folder, and runs it.

    Raises:
        subprocess.CalledProcessError: it can't be installed, or does not run.
    """
    venv.create(folder / "env", with_pip=True)
    # Appended behind the fresh environment's own packages, so that the wheel's preimage is found.
    site = next((folder / "env").glob("lib/python*/site-packages"))
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    binaries = folder / "env" / "bin"
    # The other environment has a preimage too, which is not to be uninstalled.
    options = ["--quiet", "--no-deps", "--no-index", "--ignore-installed", "--no-compile"]
    run([str(binaries / "python"), "-m", "pip", "install", *options, str(wheel)])
    code = IMPORT.format(folder=str(folder.resolve()))
    run([str(binaries / "python"), "-c", code], cwd=folder)
    for words in (["--version"], ["info"], ["shapes", "vgg16"]):
        run([str(binaries / "preimage"), *words], cwd=folder)


def run(words: list[str], cwd: Path = ROOT, quiet: bool = False) -> None:
    """A command, without paths to packages that the caller's shell may have set."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    output = subprocess.PIPE if quiet else None
    done = subprocess.run(words, cwd=cwd, env=clean, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode and quiet:
        print(done.stdout.decode(errors="replace"))
    done.check_returncode()


if __name__ == "__main__":
    sys.exit(main())
