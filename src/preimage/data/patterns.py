"""Names that stand for several: glob patterns, and braces as a shell expands them."""

import os
import re
from glob import glob, has_magic
from itertools import product
from math import prod

from preimage.data.entries import PhotoError, shown

_BRACES = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}")
_MOST = 100_000  # names that one pattern of braces may stand for
_LONGEST = 18  # digits of a number in braces


def parts(source: str) -> list[str]:
    """The names that a source stands for; the source itself where it exists or is no pattern.

    Raises:
        PhotoError: braces that stand for more than 100,000 names.
    """
    names, waiting, count = [], [source], 0
    while waiting:
        name = waiting.pop()
        if os.path.lexists(name):
            names.append(name)
        elif _BRACES.search(name):
            expanded = _expand_braces(name)
            if (count := count + len(expanded)) > _MOST:
                raise _too_many(source)
            waiting += reversed(expanded)
        else:
            names += (sorted(glob(name, recursive=True)) if has_magic(name) else []) or [name]
    return names


def _expand_braces(pattern: str) -> list[str]:
    """Expands `{000..003}` and `{a,b}`; those inside other braces are left to a second time."""
    pieces, choices, end = [], [], 0
    for match in _BRACES.finditer(pattern):
        first, last, words = match.groups()
        if words is None and max(len(first), len(last)) > _LONGEST:
            raise _too_many(pattern)
        choices.append(_numbers(first, last) if words is None else words.split(","))
        pieces.append(pattern[end : match.start()])
        end = match.end()
    if prod(map(_length, choices)) > _MOST:
        raise _too_many(pattern)
    tail, width = pattern[end:], [len(m[1] or "") for m in _BRACES.finditer(pattern)]
    texts = [[str(c).zfill(w) for c in each] for each, w in zip(choices, width, strict=True)]
    return [
        "".join(a + b for a, b in zip(pieces, chosen, strict=True)) + tail
        for chosen in product(*texts)
    ]


def _numbers(first: str, last: str) -> range:
    step = 1 if int(last) >= int(first) else -1
    return range(int(first), int(last) + step, step)


def _length(choices: range | list[str]) -> int:
    if isinstance(choices, range):  # whose `len` may be beyond what Python takes
        return abs(choices.stop - choices.start)
    return len(choices)


def _too_many(pattern: str) -> PhotoError:
    return PhotoError(
        f"{shown(pattern)}: stands for more than {_MOST:,} names; name a folder, or fewer files."
    )
