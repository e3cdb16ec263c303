"""Rows of results as pandas data frames; pandas is imported when the first is asked for."""

from collections.abc import Iterable, Mapping
from typing import Any


def frame(rows: Iterable[Mapping[str, Any]]) -> Any:
    """A pandas data frame with one row per mapping.

    Raises:
        ImportError: pandas is not installed; the message names the extra.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "data frames need pandas; install it with: pip install 'preimage[notebook]'"
        ) from None
    return pandas.DataFrame(list(rows))
