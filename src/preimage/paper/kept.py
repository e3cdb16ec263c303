"""Findings that come with the package, of runs that take longer than a reader waits."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from preimage.paper.finding import Finding


@dataclass(frozen=True)
class KeptFinding:
    """A finding, and when and by which versions it was made.

    Args:
        date: such as `2026-11-25`.
        environment: versions, device and threads.
    """

    finding: Finding
    date: str
    environment: dict[str, Any]


@cache
def kept_findings() -> dict[str, list[KeptFinding]]:
    """By figure, in the order of their names."""
    found: dict[str, list[KeptFinding]] = {}
    folder = resources.files("preimage.paper").joinpath("findings")
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".json"):
            data = json.loads(path.read_text("utf-8"))
            kept = KeptFinding(Finding.from_dict(data), data["date"], data["environment"])
            found.setdefault(kept.finding.claim.figure, []).append(kept)
    return found


def effort(figure: str) -> str:
    """What would decide the statements of a figure that the kept findings leave open; or nothing.

    From the measured spread: so many networks or photos decide four times out of five.
    """
    lines = [
        f"{kept.finding.claim.name}, not decided on {kept.date}: {kept.finding.effort}"
        for kept in kept_findings().get(figure, [])
        if kept.finding.effort
    ]
    return "\n".join(lines)
