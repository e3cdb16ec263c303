"""Hundreds of networks, of which the first shows that the hints are right.

Checks of hints take more than half of the time of a small network.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import jaxtyping


@contextmanager
def unchecked() -> Iterator[None]:
    """No checks of hints within, as users have it."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
