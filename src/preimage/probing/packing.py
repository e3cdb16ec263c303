"""Dataclasses as plain data with their tensors beside it, and back: how a folder keeps results.

Plain data is what JSON holds. What JSON lacks is spelled as a mapping of one key:
`{"$tensor": "a"}` is the tensor of that name, `{"$fraction": [1, 3]}` and `{"$float": "inf"}` are
numbers, and `{"$pairs": [[k, v], …]}` is a mapping whose keys are no strings.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from fractions import Fraction
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from torch import Tensor


def pack(value: Any) -> tuple[Any, dict[str, Tensor]]:
    """Plain data, and the tensors that it names by where they stand, such as `layers.conv1.0`.

    Args:
        value: a dataclass, a mapping, a sequence, a tensor, a number, a string or None, and so on
            inside of it.

    Raises:
        TypeError: something else.
    """
    tensors: dict[str, Tensor] = {}
    return _pack(value, "", tensors), tensors


def plain(value: Any) -> Any:
    """Plain data alone, tensors as nested lists: for people and other programs to read."""
    return _pack(value, "", None)


def _pack(value: Any, path: str, tensors: dict[str, Tensor] | None) -> Any:
    def inside(key: object, part: Any) -> Any:
        return _pack(part, f"{path}.{key}".lstrip("."), tensors)

    match value:
        case Tensor():
            if tensors is None:
                return _pack(value.tolist(), path, None)
            tensors[path] = value
            return {"$tensor": path}
        case Fraction():
            return {"$fraction": [value.numerator, value.denominator]}
        case float() if not math.isfinite(value):
            return {"$float": str(value)}
        case None | bool() | int() | float() | str():
            return value
        case Mapping() if all(isinstance(key, str) for key in value):
            return {key: inside(key, part) for key, part in value.items()}
        case Mapping():
            pairs = enumerate(value.items())
            return {"$pairs": [[_pack(k, path, tensors), inside(i, v)] for i, (k, v) in pairs]}
        case Sequence():
            return [inside(index, part) for index, part in enumerate(value)]
    if is_dataclass(value):
        return {f.name: inside(f.name, getattr(value, f.name)) for f in fields(value)}
    raise TypeError(f"{path}: {type(value).__name__} is no plain data.")


def unpack(hint: Any, data: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The value of this type that `pack` made plain.

    Raises:
        KeyError: a field without a default, or a tensor, is not there.
    """
    if isinstance(data, Mapping) and len(data) == 1:
        ((key, content),) = data.items()
        match key:
            case "$tensor":
                return tensors[content]
            case "$fraction":
                return Fraction(*content)
            case "$float":
                return float(content)
            case "$pairs":
                of_key, of_value = get_args(hint) or (Any, Any)
                return {
                    unpack(of_key, k, tensors): unpack(of_value, v, tensors) for k, v in content
                }
    if isinstance(data, Mapping):
        return _unpack_mapping(hint, data, tensors)
    if isinstance(data, list):
        return _unpack_list(hint, data, tensors)
    return data


def _unpack_mapping(hint: Any, data: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    hint = _without_none(hint)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        given = {
            f.name: unpack(hints[f.name], data[f.name], tensors)
            for f in fields(hint)
            if f.name in data or (f.default is MISSING and f.default_factory is MISSING)
        }
        return hint(**given)  # type: ignore[operator]
    of_value = (get_args(hint) or (Any, Any))[1]
    return {key: unpack(of_value, part, tensors) for key, part in data.items()}


def _unpack_list(hint: Any, data: list[Any], tensors: Mapping[str, Tensor]) -> Any:
    hint = _without_none(hint)
    inner = [kind for kind in get_args(hint) if kind is not Ellipsis] or [Any]
    kinds = inner if len(inner) == len(data) else inner[:1] * len(data)
    found = [unpack(kind, part, tensors) for kind, part in zip(kinds, data, strict=True)]
    return tuple(found) if get_origin(hint) is tuple or hint is tuple else found


def _without_none(hint: Any) -> Any:
    """`X` of `X | None`; of several the first."""
    if get_origin(hint) in (Union, UnionType):
        return next(kind for kind in get_args(hint) if kind is not type(None))
    return hint
