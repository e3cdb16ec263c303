"""A short report: a figure, a table, what they mean, and the command that makes them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preimage.data.html import template


@dataclass(frozen=True)
class Part:
    """A section of a report; what is empty is left out.

    Args:
        picture: as an address that contains it (`html.data_uri`).
        alt: what it shows, for those who do not see it.
        columns: of the table, the first of which names its rows.
        note: a paragraph below.
    """

    heading: str
    picture: str = ""
    alt: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    note: str = ""


def report(
    title: str, lead: str, parts: Sequence[Part], command: str, environment: Mapping[str, Any]
) -> str:
    """One self-contained HTML page: pictures inside, nothing fetched.

    Args:
        command: the command line that makes the page again.
        environment: versions and threads, from `records.environment`.
    """
    page: str = template("preimage.data", "study.html").render(
        title=title, lead=lead, parts=parts, command=command, environment=environment
    )
    return page
