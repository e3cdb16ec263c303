"""Plain data as a dataclass: what fits, and the one line about what does not."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from preimage.network.ranges import Above0, Range
from preimage.network.schema import read_as


@dataclass(frozen=True)
class Inner:
    word: Literal["a", "b"]
    flag: bool


@dataclass(frozen=True)
class Card:
    name: str
    scale: Above0
    pair: tuple[int, Annotated[int, Range(-3, 3)]]
    errors: tuple[float | None, ...]
    inner: Inner
    rest: dict[str, Any]
    seed: int = 0


WHOLE = {
    "name": "π",
    "scale": 2,
    "pair": [7, -3],
    "errors": [0.5, None],
    "inner": {"word": "b", "flag": True},
    "rest": {"x": []},
    "seed": 5,
}


def test_what_fits_comes_back() -> None:
    inner = Inner("b", True)
    assert read_as(Card, WHOLE) == Card("π", 2, (7, -3), (0.5, None), inner, {"x": []}, 5)


def test_more_and_less_are_allowed_where_said() -> None:
    data = {**WHOLE, "colour": "red"}
    del data["seed"]
    assert read_as(Card, data, more=True).seed == 0
    with pytest.raises(ValueError, match=r"^card\.seed is missing\.$"):
        read_as(Card, data, "card")
    with pytest.raises(ValueError, match=r"^'colour' is unknown; known: "):
        read_as(Card, {**WHOLE, "colour": "red"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("name", 5, "name must be a text, got 5"),
        ("scale", -1, "scale must be a number above 0, got -1"),
        ("scale", float("nan"), "scale must be a number above 0, got nan"),
        ("scale", True, "scale must be a number above 0, got True"),
        ("scale", "2", "scale must be a number above 0, got '2'"),
        ("pair", [7], r"pair must have 2 entries, got \[7\]"),
        ("pair", [7, 4], r"pair\[1\] must be an integer from -3 to 3, got 4"),
        ("pair", [7.0, 1], r"pair\[0\] must be a nonnegative integer, got 7\.0"),
        ("pair", {"0": 1}, "pair must be a list"),
        ("errors", [0.5, "x"], r"errors\[1\] must be a finite number, got 'x'"),
        ("inner", {"word": "c", "flag": True}, r"inner\.word must be one of a, b, got 'c'"),
        ("inner", {"word": ["a"], "flag": True}, r"inner\.word must be one of a, b, got \['a'\]"),
        ("inner", {"word": "a", "flag": 1}, r"inner\.flag must be true or false, got 1"),
        ("inner", {"word": "a"}, r"inner\.flag is missing"),
        ("inner", 3, "inner must be a mapping, got 3"),
        ("rest", [], r"rest must be a mapping, got \[\]"),
        ("seed", 10**5000, "seed must be a nonnegative integer, got int"),
        ("seed", "x" * 500, "seed must be a nonnegative integer, got 'x{58}…"),
    ],
    ids=range(18),
)
def test_what_does_not_fit_is_named(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        read_as(Card, {**WHOLE, name: value})
