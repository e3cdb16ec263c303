"""Plain data that a file holds, read as a dataclass: the hints of its fields are the schema."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from preimage.network.ranges import misfit

_Kind = TypeVar("_Kind")
_SHOWN = 60  # characters of a value in a message


def read_as(kind: type[_Kind], data: object, where: str = "", *, more: bool = False) -> _Kind:
    """The dataclass that plain data describes; every value is checked against its field's hint.

    Hints may be made of str, int, float, bool, `Annotated` numbers with a `Range`, `Literal`,
    `X | None`, tuples (lists in JSON), `dict[str, Any]`, `Any`, and dataclasses.

    Args:
        where: the place of `data` in its file, such as `decoder.description`, for messages.
        more: other keys may stand beside the fields, and fields with a default may be absent; so in
            the dataclasses inside.

    Raises:
        ValueError: naming the value, what is expected there and what it is.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{where or 'it'} must be a mapping, got {_brief(data)}.")
    declared = fields(kind)  # type: ignore[arg-type]
    optional = {f.name for f in declared if more and f.default is not MISSING}
    prefix = f"{where}." if where else ""
    if missing := [f.name for f in declared if f.name not in data and f.name not in optional]:
        raise ValueError(f"{', '.join(prefix + name for name in missing)} is missing.")
    names = [f.name for f in declared]
    if unknown := sorted(str(key) for key in data if key not in names and not more):
        raise ValueError(f"{prefix}{_brief(unknown[0])} is unknown; known: {', '.join(names)}.")
    hints = get_type_hints(kind, include_extras=True)
    given = [name for name in names if name in data]
    return kind(**{name: _fitted(hints[name], data[name], prefix + name, more) for name in given})


def _fitted(hint: Any, value: Any, where: str, more: bool) -> Any:
    origin = get_origin(hint)
    if hint is Any:
        return value
    if origin in (Union, UnionType):  # X | None
        inner = next(kind for kind in get_args(hint) if kind is not NoneType)
        return None if value is None else _fitted(inner, value, where, more)
    if isinstance(hint, type) and is_dataclass(hint):
        return read_as(hint, value, where, more=more)
    if origin is tuple:
        return _entries(get_args(hint), value, where, more)
    if origin is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{where} must be a mapping, got {_brief(value)}.")
        return value
    if expected := misfit(value, hint):
        raise ValueError(f"{where} must be {expected}, got {_brief(value)}.")
    return value


def _entries(kinds: tuple[Any, ...], value: Any, where: str, more: bool) -> tuple[Any, ...]:
    """A list of any length where the hint ends in `...`, else of the hint's."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} must be a list, got {_brief(value)}.")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise ValueError(f"{where} must have {len(kinds)} entries, got {_brief(value)}.")
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(_fitted(kind, entry, f"{where}[{i}]", more) for i, (kind, entry) in pairs)


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; a deep list
        text = type(value).__name__
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
