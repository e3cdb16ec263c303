"""When tutorials are run, and what they took; kernels that keep to themselves."""

import hashlib
import logging
import os
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

KERNEL_SETTINGS = "c.IPKernelApp.log_level = 40  # written by docs/_ext/tutorial_times.py\n"


def source_digest() -> str:
    """One hash over the package's source, on which the tutorials' numbers depend."""
    import preimage

    root = Path(preimage.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


def quieten(app: Sphinx, config: Any) -> None:
    """Kernels read no settings of the user's, and log errors only."""
    home = Path(app.confdir) / "_build" / ".ipython"
    profile = home / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL_SETTINGS)
    os.environ["IPYTHONDIR"] = str(home)
    # Small tensors: where cores are shared, threads that wait for each other took twice as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.getLogger("traitlets").setLevel(logging.WARNING)


def print_times(app: Sphinx, exception: Exception | None) -> None:
    """A line per tutorial, and their sum; what the cache kept is named."""
    runs = {
        page: data["exec_data"]
        for page, data in sorted(getattr(app.env, "nb_metadata", {}).items())
        if data.get("exec_data")
    }
    if exception is not None or not runs:
        return
    seconds = {page: run["runtime"] for page, run in runs.items()}
    for page, taken in seconds.items():
        print(f"{page}: {taken:.0f} s", file=sys.stderr)
    print(
        f"{len(runs)} tutorials: {sum(seconds.values()):.0f} s when they were run", file=sys.stderr
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", quieten)
    app.connect("build-finished", print_times)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
