from dataclasses import dataclass, field

import pytest

from preimage.app.cli.main import VERBS, command_type
from preimage.app.cli.options import (
    POSITIONAL,
    command_line,
    fill,
    flat,
    option_set,
    options,
    spelled,
)


@dataclass(frozen=True, kw_only=True)
class Inner:
    """An inner set.

    Args:
        slope: below zero.
        hidden: never seen.
    """

    slope: float = 0.0
    hidden: int = 1


@dataclass(frozen=True, kw_only=True)
class Middle:
    """A set with a set.

    Args:
        layer: how far.
        inner: not an option.
    """

    layer: str = "conv3"
    inner: Inner = field(default_factory=lambda: Inner(hidden=2))


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command.

    Args:
        photos: Files.
        layer: What the verb says goes first.
    """

    photos: tuple[str, ...] = field(default=(), metadata=POSITIONAL)
    encoder: Middle = option_set(Middle(layer="conv5"), without=("hidden",))
    decoder: Inner = option_set(Inner(slope=0.2), without=("hidden",), slope="decoder_slope")
    pooled: bool = False


def test_options_of_sets_are_the_verbs_own() -> None:
    found = {option.name: option for option in options(Command)}
    assert list(found) == ["photos", "layer", "slope", "decoder_slope", "pooled"]
    assert found["layer"].default == "conv5"
    assert found["layer"].help == "What the verb says goes first."
    assert found["slope"].help == "Below zero."
    assert found["slope"].path == ("encoder", "inner", "slope")
    assert found["decoder_slope"].default == 0.2
    assert found["decoder_slope"].spelling == "--decoder-slope"
    assert found["photos"].spelling == "PHOTOS"


def test_defaults_stay_when_another_option_of_the_set_is_given() -> None:
    command = fill(Command, {"slope": 1.0, "pooled": True})
    expected = Middle(layer="conv5", inner=Inner(slope=1.0, hidden=2))
    assert command == Command(encoder=expected, pooled=True)
    assert flat(command) == {
        "photos": (),
        "layer": "conv5",
        "slope": 1.0,
        "decoder_slope": 0.2,
        "pooled": True,
    }


def test_the_command_line_leaves_defaults_out() -> None:
    command = fill(Command, {"photos": ("a b", "c"), "decoder_slope": 0.5, "pooled": True})
    assert command_line("x", command) == "preimage x 'a b' c --decoder-slope 0.5 --pooled"
    assert command_line("x", command, without=["pooled"]).endswith("0.5")


def test_arguments_in_messages_become_options() -> None:
    message = "`slope` of `decoder_slope`, `photos` and `x` must agree."
    assert spelled(message, Command) == "--slope of --decoder-slope, PHOTOS and `x` must agree."


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_has_its_own_name_and_a_help(verb: str) -> None:
    found = options(command_type(verb))
    assert len({option.name for option in found}) == len(found)
    assert [option.name for option in found if not option.help.endswith(".")] == []
