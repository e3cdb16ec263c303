"""The loss curve of a run on disk: a line of JSON per step, with its checksum.

What a kill leaves is known: a last line that was cut off. Any other line that is no record of a
step, or not the one that was written, is damage; it is named, nothing is read past it, and nothing
is written.
"""

import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from preimage.data.records import write_text
from preimage.decoders.loop import StepRecord

METRICS_FILE = "metrics.jsonl"
_LATER = "core_seconds"  # which earlier versions did not write
_NAMES = [field.name for field in fields(StepRecord) if field.name != _LATER]
_CHECKSUM = "crc32"  # of the line without it


def metrics_line(record: dict[str, Any]) -> str:
    """The record of a step as the curve keeps it."""
    return json.dumps({**record, _CHECKSUM: _checksum(record)}) + "\n"


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a loss curve, without a last line that was cut off; none without a file.

    Steps ascend, but some may be missing where a user deleted lines.

    Raises:
        ValueError: a line is damaged; the message says which one and what to do.
    """
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    found = [_record(line) for line in lines]
    if found[-1] is None:  # nothing after the last newline, or half a line
        del found[-1]
    whole = [record for record in found if record is not None]
    if len(whole) < len(found):
        others = len(found) - len(whole) - 1
        more = f" and {others} more" if others else ""
        number = found.index(None) + 1
        raise _damaged(
            path, f"line {number} of {len(found)}{more}", "not the record of a step", whole
        )
    for number, (before, record) in enumerate(pairwise(whole), start=2):
        if record["step"] <= before["step"]:
            steps = f"step {record['step']} after step {before['step']}"
            raise _damaged(path, f"line {number} of {len(found)}", steps, whole)
    return whole


def core_seconds(records: Iterable[Mapping[str, Any]]) -> float:
    """Processor time of the steps of a curve; of an earlier version's, their time by the clock."""
    return float(sum(record.get(_LATER, record["seconds"]) for record in records))


def cut_metrics(path: Path, step: int) -> list[dict[str, Any]]:
    """Drops what was written after this step, and a line that was cut off; what is left.

    Raises:
        ValueError: a line is damaged; the file stays as it is.
    """
    kept = [record for record in read_metrics(path) if record["step"] <= step]
    text = "".join(map(metrics_line, kept))
    if path.exists() and path.read_bytes() != text.encode():
        write_text(path, text)
    return kept


def _record(line: bytes) -> dict[str, Any] | None:
    """The record of a step; None if the line is something else."""
    try:
        record = json.loads(line.decode())
        finite = all(math.isfinite(record[name]) for name in _NAMES)
        finite = finite and math.isfinite(record.get(_LATER, 0.0))
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None
    checksum = record.pop(_CHECKSUM, None)  # None: of a version that wrote none
    as_written = checksum in (None, _checksum(record))
    whole = as_written and finite and type(record["step"]) is int and record["step"] > 0
    return record if whole else None


def _checksum(record: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(record).encode())


def _damaged(path: Path, what: str, why: str, whole: list[dict[str, Any]]) -> ValueError:
    return ValueError(
        f"{path}: {what} is damaged ({why}); the other {len(whole):,} lines can be read, and "
        "nothing was changed. Take the file from a copy, or delete what is damaged: the run then "
        "goes on from its state, and its curve lacks those steps."
    )
