"""The kinds of run that `preimage reconstruct` makes, each in folders of its own."""

import json
from pathlib import Path

from preimage.data.records import output_folder

RANDOM = "photos by a random network"
DECODED = "photos by a decoder"
FEATURES = "features by a decoder"


def own_folder(name: str, kind: str) -> Path:
    """A folder for a run of this kind, made if it is not there.

    Raises:
        ValueError: it is no folder, or holds a run of another kind, whose records would be mixed
            with these.
    """
    held = _kind(Path(name) / "run.json")
    if held not in (None, kind):
        raise ValueError(f"`out` {name} holds a run of {held}; name another folder for {kind}.")
    return output_folder(name)


def _kind(path: Path) -> str | None:
    """The kind of the run that a record is of; None if there is none."""
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict):
        return None
    # Version 0.1.0 kept no kind.
    return record.get("kind") or (DECODED if "decoder" in record else RANDOM)
