"""What the tutorials took, printed when the site is built; kernels that keep to themselves."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

KERNEL_SETTINGS = "c.IPKernelApp.log_level = 40  # written by docs/_ext/tutorial_times.py\n"


def quieten(app: Sphinx, config: Any) -> None:
    """Kernels read no settings of the user's, and log errors only."""
    home = Path(app.confdir) / "_build" / ".ipython"
    profile = home / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL_SETTINGS)
    os.environ["IPYTHONDIR"] = str(home)
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
