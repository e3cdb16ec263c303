"""The numbers that an option allows, said once: check, message and help all come from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; `above` and `below` leave these ends out."""

    low: int | float
    high: int | float = float("inf")
    above: bool = False
    below: bool = False

    def __contains__(self, value: int | float) -> bool:
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        # No NaN is in a range, since it compares to nothing; integers may be beyond any float.
        return low and high and abs(value) < float("inf")

    def __str__(self) -> str:
        if self == REAL:
            return "finite"
        start = f"above {self.low:g}" if self.above else f"from {self.low:g}"
        if self.high in (float("inf"), _MOST):
            return start if self.above else f"{start} on"
        comma = "," if self.above else ""
        return f"{start}{comma} {'below' if self.below else 'to'} {self.high:g}"


_MOST = 2**63 - 1
#: What numbers without a range of their own may be.
WHOLE, REAL = Range(0, _MOST), Range(-float("inf"))

Positive = Annotated[int, Range(1, _MOST)]
#: Of feature maps.
Channels = Annotated[int, Range(1, 2**20)]
#: Pixels of a photo's side.
Side = Annotated[int, Range(1, 16384)]
#: 0 leaves a photo as it is.
SideOrAsItIs = Annotated[int, Range(0, 16384)]
Kernel = Annotated[int, Range(1, 999)]
#: Of an activation below zero.
Slope = Annotated[float, Range(-10, 10)]
Above0 = Annotated[float, Range(0, above=True)]
Nonnegative = Annotated[float, Range(0)]
#: Processes or threads.
Processes = Annotated[int, Range(1, 1024)]


def check(name: str, value: object, hint: Any) -> None:
    """Refuses a value that an option's hint does not allow.

    A `Literal` takes one of its choices, a number must be in its range, a tuple is checked entry
    by entry, and None is always allowed where the hint says so.

    Raises:
        ValueError: naming the option in backticks, what was expected and what came.
    """
    if value is None and type(None) in get_args(hint):
        return
    values = value if isinstance(value, tuple) else (value,)
    for kind in _kinds(hint):
        for each in values:
            _check_one(name, each, kind)


def range_of(hint: Any) -> Range | None:
    """The range that a hint names itself; None if it leaves it to the defaults."""
    for kind in _kinds(hint):
        if get_origin(kind) is Annotated:
            return next((a for a in get_args(kind)[1:] if isinstance(a, Range)), None)
    return None


def _kinds(hint: Any) -> Iterator[Any]:
    """What a hint is made of, tuples and unions opened."""
    if get_origin(hint) in (Annotated, Literal, None):
        yield hint
    else:
        for part in get_args(hint):
            if part not in (type(None), Ellipsis):
                yield from _kinds(part)


def _check_one(name: str, value: object, kind: Any) -> None:
    if kind in _WORDS:  # the parser and the type checker see to these
        return
    if expected := misfit(value, kind):
        raise ValueError(f"`{name}` must be {expected}, got {value!r}.")


def misfit(value: object, kind: Any) -> str:
    """What a simple hint expects if the value does not fit it; empty if it does.

    Args:
        kind: a `Literal`, str, bool, int or float, or the latter two with a `Range`. Any other hint
            takes every value.
    """
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return "" if value in choices else f"one of {', '.join(map(str, choices))}"
    if kind in _WORDS:
        return "" if type(value) is kind else _WORDS[kind]
    allowed = range_of(kind)
    base = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if base not in (int, float):
        return ""
    allowed = allowed or (WHOLE if base is int else REAL)
    if _is_number(value, base) and value in allowed:  # type: ignore[operator]
        return ""
    usual = {WHOLE: "a nonnegative integer", REAL: "a finite number"}
    return usual.get(allowed, f"{'an integer' if base is int else 'a number'} {allowed}")


_WORDS = {str: "a text", bool: "true or false"}


def _is_number(value: object, base: type) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) <= (_MOST if base is int else 2**1023)  # 64 bits, or what a float holds
    return base is float and isinstance(value, float)
