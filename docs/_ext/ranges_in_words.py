"""Types with a range, such as `Annotated[int, Range(low=1, high=9)]`, as "int from 1 to 9"."""

import ast
import re
from typing import Any

from sphinx.application import Sphinx

from preimage.network.ranges import Range

ANNOTATED = re.compile(r"~?(?:typing\.)?Annotated\[(\w+), ~?(?:[\w.]+\.)?Range\(([^()]*)\)\]")


def in_words(annotation: str) -> str:
    """The annotation with every range in words.

    >>> in_words("Annotated[int, Range(low=1, high=9, above=False, below=False)] | None")
    'int from 1 to 9 | None'
    """
    return ANNOTATED.sub(lambda found: f"{found[1]} {_range(found[2])}", annotation)


def _range(arguments: str) -> Range:
    given = (part.split("=") for part in arguments.split(", "))
    values = {n: float("inf") if v == "inf" else ast.literal_eval(v) for n, v in given}
    return Range(**values)


def rewrite(app: Sphinx, *_: Any) -> None:
    for annotations in app.env.current_document.autodoc_annotations.values():
        for name, annotation in annotations.items():
            annotations[name] = in_words(annotation)


def setup(app: Sphinx) -> dict[str, bool]:
    # Before Sphinx writes the types into the descriptions, which it does at 500.
    app.connect("object-description-transform", rewrite, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
