"""Patterns: what braces stand for, and how much they may."""

import pytest

from preimage.data.archives import PhotoError
from preimage.data.patterns import parts


def test_braces_are_those_of_a_shell() -> None:
    assert parts("a-{08..11}.tar") == ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]
    assert parts("{2..0}{x,y}") == ["2x", "2y", "1x", "1y", "0x", "0y"]
    assert parts("{a,b{1..2}}") == ["a", "b1", "a", "b2"]


@pytest.mark.parametrize(
    "pattern",
    [
        "x{0..99999999999}.png",
        "x{0..100000}.png",
        "{0..999}{0..999}.png",
        "{{0..999},{0..999}}",
        "x{0.." + "9" * 5000 + "}.png",
    ],
)
def test_braces_that_stand_for_too_many_names(pattern: str) -> None:
    with pytest.raises(PhotoError, match="stands for more than 100,000 names; name a folder"):
        parts(pattern)
