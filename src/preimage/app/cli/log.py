"""What the library notes while it works, on stderr."""

import logging
import sys
from typing import TextIO


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def show_log() -> None:
    """The package's own log goes to stderr, as its errors do."""
    logger = logging.getLogger("preimage")
    if not logger.handlers:
        handler = _Stderr()
        handler.setFormatter(logging.Formatter("preimage: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
