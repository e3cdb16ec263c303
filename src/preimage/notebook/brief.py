"""Values in a few characters: a tensor by its shape and range, a long list by its length."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

_FEW = 4  # numbers of a list or tensor that are written out
_LONGEST = 60  # characters of a text


def brief(value: Any) -> str:
    """A value in a few characters.

    >>> brief([0.25, 1 / 3]), brief(list(range(99))), brief({"ssim": 1})
    ('[0.25, 0.3333]', '99 values', '{ssim}')
    """
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _brief_array(value)
    match value:
        case bool() | int() | None:
            return str(value)
        case float():
            return f"{value:.4g}"
        case str():
            return repr(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…")
        case Mapping():
            return f"{{{', '.join(map(str, value))}}}" if len(value) <= _FEW else _count(value)
        case Sequence() if len(value) > _FEW:
            return _count(value)
        case list() | tuple():
            return f"[{', '.join(map(brief, value))}]"
    text = " ".join(repr(value).split())
    return text if len(text) <= 2 * _LONGEST else f"<{type(value).__name__}>"


class Brief:
    """A dataclass or a named tuple whose text is one line and prints no whole tensor.

    A dataclass takes it over with `repr=False`.
    """

    def __repr__(self) -> str:
        return brief_fields(self)


def brief_fields(value: Any) -> str:
    """A dataclass or a named tuple in one line, each of its fields in a few characters."""
    names = getattr(value, "_fields", None) or [field.name for field in fields(value) if field.repr]
    inside = ", ".join(f"{name}={brief(getattr(value, name))}" for name in names)
    return f"{type(value).__name__}({inside})"


def _brief_array(array: Any) -> str:
    count = 1
    for side in array.shape:
        count *= side
    if count == 1 and not array.shape:
        return brief(array.item())
    if 0 < count <= _FEW and len(array.shape) == 1:
        return f"[{', '.join(map(brief, array.tolist()))}]"
    shape = "×".join(map(str, array.shape))
    if not count:
        return f"{shape}, empty"
    low, high = array.min().item(), array.max().item()
    return f"{shape} from {low:.4g} to {high:.4g}"


def _count(values: Any) -> str:
    return f"{len(values)} values"
