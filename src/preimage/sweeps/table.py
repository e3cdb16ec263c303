"""One table out of many cells: a row per photo and network, in the order of the grid."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from preimage.data.records import write_atomically
from preimage.scores.metrics import GREY
from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.levels import varying
from preimage.sweeps.run import Results


def table_rows(results: Results) -> Iterator[dict[str, Any]]:
    """The config, the photo and its scores, for every finished cell."""
    for row in results.records():
        yield {**row, "contract": GREY.name}


def write_table(results: Results, folder: Path, parquet: bool = False) -> list[Path]:
    """`table.csv`, and `table.parquet` if asked for, each written atomically; none without a row.

    Raises:
        ValueError: Parquet is asked for, but pyarrow is not installed.
    """
    rows = list(table_rows(results))
    if not rows:
        return []

    def write_csv(path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    written = [write_atomically(folder / "table.csv", write_csv)]
    if parquet:
        arrow, write = require_parquet()
        table = arrow.Table.from_pylist(rows)
        written.append(
            write_atomically(folder / "table.parquet", lambda path: write.write_table(table, path))
        )
    return written


def require_parquet() -> tuple[Any, Any]:
    """pyarrow and its Parquet module.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ValueError("`parquet` needs pyarrow: pip install 'preimage[parquet]'.") from None
    return pyarrow, parquet


def summaries(results: Results, metric: str, absolute: bool = False) -> dict[str, Interval]:
    """The mean over networks of every combination, named by the options that vary."""
    values: dict[str, list[float]] = {}
    names = varying(results.cells)
    for config in results.cells:
        name = ", ".join(f"{key} {getattr(config, key)}" for key in names) or "all"
        value = results.average(config, metric, absolute)
        if value is not None:
            values.setdefault(name, []).append(value)
    return {name: mean_interval(numbers) for name, numbers in values.items()}
