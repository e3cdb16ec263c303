"""Every option of every verb with values it can't have: one line that names it, exit code 2."""

from pathlib import Path
from typing import Any, Literal, get_origin

import pytest
from command import run

from preimage.app.cli.main import VERBS, command_type
from preimage.app.cli.options import Option, options, parts
from preimage.network.ranges import REAL, WHOLE

#: What verbs need besides the option in question.
NEEDED = {
    "evaluate": ["--decoder", "nowhere.safetensors"],
    "layers": ["vgg16"],
    "probe": ["--model", "vgg16"],
    "reproduce": ["fig1"],
    "show": ["vgg16"],
}


def wrong_values(option: Option) -> list[str]:
    """Words that are no value of the option; none where any word may be one."""
    kinds = tuple(parts(option.hint))
    if any(get_origin(kind) is Literal for kind in kinds):
        return ["", "nonsense", "-1"]
    if int in kinds or float in kinds:
        allowed = option.range or (WHOLE if int in kinds else REAL)
        numbers = [-1, 0, 2**64, 1e400] if int in kinds else [-1.0, 0.0, 1e400]
        outside = [str(number) for number in numbers if number not in allowed]
        return ["", "nonsense", "nan", "inf", *outside]
    return ["nonsense"] if bool in kinds and option.hint is not bool else []


def cases() -> list[tuple[str, str, str]]:
    """(verb, option, value): all wrong values at the first verb that has it, one at the others."""
    found, seen = [], set()
    for verb in VERBS:
        for option in options(command_type(verb)):
            if not option.positional:
                values = wrong_values(option)
                declared = option.owner, option.name
                kept = values[-1:] if declared in seen else values
                found += [(verb, option.spelling, value) for value in kept]
                seen.add(declared)
    return found


CASES = cases()


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_value_gets_one_line(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for _, spelling, value in [case for case in CASES if case[0] == verb]:
        words = NEEDED.get(verb, [])
        assert run(verb, *words, f"{spelling}={value}") == 2, (spelling, value)
        out, err = capsys.readouterr()
        said = f"{verb} {spelling} {value!r}: {err}"
        assert out == "", said
        assert len(err.splitlines()) == 1, said
        assert spelling in err, said
    assert not list(tmp_path.iterdir())


def test_there_are_many_cases() -> None:
    assert len(CASES) > 400
    assert {verb for verb, _, _ in CASES} == set(VERBS) - {"info"}  # which has but a flag
