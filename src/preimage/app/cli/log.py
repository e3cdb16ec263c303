"""What the library notes while it works, on stderr."""

import logging
import sys
from typing import TextIO

from preimage.app.cli.options import spelled


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _Spelled(logging.Formatter):
    """Arguments in backticks as the verb's options."""

    def __init__(self, kind: type) -> None:
        super().__init__("preimage: %(message)s")
        self._kind = kind

    def format(self, record: logging.LogRecord) -> str:
        return spelled(super().format(record), self._kind)


def show_log(kind: type) -> None:
    """The package's own log goes to stderr, as its errors do.

    Args:
        kind: the verb's command.
    """
    logger = logging.getLogger("preimage")
    if not logger.handlers:
        logger.addHandler(_Stderr())
        logger.setLevel(logging.INFO)
    logger.handlers[0].setFormatter(_Spelled(kind))
