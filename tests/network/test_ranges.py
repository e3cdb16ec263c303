"""Numbers that options allow: their ends, what is no number at all, and how a range reads."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from preimage.network.ranges import REAL, WHOLE, Above0, Positive, Range, check, range_of
from preimage.network.spec import Checked


@pytest.mark.parametrize(
    ("range_", "inside", "outside", "text"),
    [
        (Range(1, 5), (1, 5, 2.5), (0, 5.1, -1), "from 1 to 5"),
        (Range(0, above=True), (1e-300, 7), (0, -1e-300, float("inf"), float("nan")), "above 0"),
        (Range(0, 1, True, True), (0.01, 0.99), (0, 1), "above 0, below 1"),
        (Range(0, 1, below=True), (0, 0.99), (1, -0.1), "from 0 below 1"),
        (Range(2), (2, 1e300), (1.9, float("inf")), "from 2 on"),
        (WHOLE, (0, 2**63 - 1), (-1, 2**64), "from 0 on"),
        (REAL, (-1e300, 0), (float("-inf"), float("nan")), "finite"),
    ],
)
def test_a_range_has_its_ends(range_, inside, outside, text):  # type: ignore[no-untyped-def]
    assert all(value in range_ for value in inside)
    assert not any(value in range_ for value in outside)
    assert str(range_) == text


@dataclass(frozen=True)
class Options(Checked):
    count: Positive = 1
    rate: Above0 | None = None
    widths: tuple[Annotated[int, Range(1, 9)], ...] = ()
    plain: int = 0
    real: float | None = None
    word: Literal["a", "b"] = "a"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 0}, "`count` must be an integer from 1 on, got 0."),
        ({"count": 1.5}, "`count` must be an integer from 1 on, got 1.5."),
        ({"count": "1"}, "`count` must be an integer from 1 on, got '1'."),
        ({"rate": 0.0}, "`rate` must be a number above 0, got 0.0."),
        ({"widths": (3, 10)}, "`widths` must be an integer from 1 to 9, got 10."),
        ({"plain": -1}, "`plain` must be a nonnegative integer, got -1."),
        ({"plain": 2**64}, f"`plain` must be a nonnegative integer, got {2**64}."),
        ({"real": float("nan")}, "`real` must be a finite number, got nan."),
        ({"word": "c"}, "`word` must be one of a, b, got 'c'."),
    ],
)
def test_option_sets_refuse_other_numbers(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        Options(**values)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_option_sets_take_what_they_allow() -> None:
    made = Options(count=3, rate=None, widths=(1, 9), plain=0, real=-2.5, word="b")
    assert made.widths == (1, 9)


def test_a_hint_names_its_range() -> None:
    assert range_of(Positive) == range_of(Positive | None) == Range(1, 2**63 - 1)
    assert range_of(tuple[Above0, ...]) == Range(0, above=True)
    assert range_of(int) is None
    with pytest.raises(ValueError, match="`x` must be a number above 0, got 0"):
        check("x", 0, Above0)


def test_integers_have_64_bits_where_a_range_has_no_end() -> None:
    with pytest.raises(ValueError, match=f"`x` must be an integer from 2 on, got {2**64}"):
        check("x", 2**64, Annotated[int, Range(2)])
    with pytest.raises(ValueError, match="`x` must be a number from 0 on, got True"):
        check("x", True, Annotated[float, Range(0)])
