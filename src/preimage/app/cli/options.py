"""The options of a verb: the fields of its dataclass, and of the option sets in it, side by side.

A verb's dataclass is composed of the library's option sets. One walk over it serves the parser,
the help, the records (`flat`), command lines and error messages (`spelled`). Nothing here imports
torch.
"""

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from functools import cache
from inspect import get_annotations
from typing import Any, get_args, get_type_hints

from docstring_parser import parse as parse_docstring

from preimage.network.ranges import Range, range_of

POSITIONAL = {"positional": True}


@dataclass(frozen=True)
class Option:
    """One option, where its value stands in the command, and what its help says.

    Args:
        name: in Python; `--batch-size` is `batch_size`.
        path: the fields that lead to it, such as `("training", "steps")`.
        hint: its type.
        default: MISSING if it has none.
        owner: the dataclass that declares it, of which its panel in the help is made.
        positional: stands without a name.
        range: the numbers it takes, if it says so itself.
    """

    name: str
    path: tuple[str, ...]
    hint: Any
    default: Any
    help: str
    owner: type
    positional: bool
    range: Range | None = None

    @property
    def spelling(self) -> str:
        """As a user writes it: `--batch-size`, or `PHOTOS`."""
        return self.name.upper() if self.positional else f"--{self.name.replace('_', '-')}"

    def value(self, command: Any) -> Any:
        """Its value in a command."""
        for part in self.path:
            command = getattr(command, part)
        return command


def option_set(
    default: Any, *, without: Collection[str] = (), positional: str = "", **renamed: str
) -> Any:
    """A field that holds an option set, whose options become the verb's own.

    Args:
        default: what the set is when none of its options is given.
        without: options that the verb does not have; they keep the value in `default`.
        positional: an option that stands without a name.
        renamed: option → what the verb calls it, such as `slope="decoder_slope"`.
    """
    metadata = {"without": frozenset(without), "positional": positional, "renamed": renamed}
    return field(default=default, metadata=metadata)


@cache
def options(kind: Any) -> tuple[Option, ...]:
    """The options of a verb's dataclass in order, those of its option sets where these stand.

    What the verb's docstring says of an option goes before what its set's docstring says.
    """
    defaults = {f.name: _default(f) for f in fields(kind)}
    helps = _helps(kind)
    return tuple(
        replace(option, help=_as_help(helps.get(option.name, option.help), option))
        for option in _walk(kind, defaults, ())
    )


def _as_help(text: str, option: Option) -> str:
    """What a docstring says of an argument, as a line of the help, and which numbers it takes."""
    text = text.replace("`", "").replace("if None", "if not given")
    if text.split(" ")[0] not in parts(option.hint):
        text = text[:1].upper() + text[1:]
    return f"{text.removesuffix('.')} ({option.range})." if option.range else text


def parts(hint: Any) -> Iterator[Any]:
    """What a hint is made of: itself, its types, its choices."""
    yield hint
    for part in get_args(hint):
        yield from parts(part)


def options_of(command: Any) -> tuple[Option, ...]:
    """The options of a command's verb."""
    kind: Any = type(command)
    return options(kind)


def _walk(kind: type, defaults: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Option]:
    hints, helps = get_type_hints(kind), _helps(kind)
    whole = get_type_hints(kind, include_extras=True)
    for f in fields(kind):
        default = defaults[f.name]
        if is_dataclass(default):
            yield from _inside(f, default, (*path, f.name))
        else:
            yield Option(
                f.name,
                (*path, f.name),
                hints[f.name],
                default,
                helps.get(f.name, ""),
                _owner(kind, f.name),
                f.metadata.get("positional", False),
                range_of(whole[f.name]),
            )


def _inside(f: Field[Any], default: Any, path: tuple[str, ...]) -> Iterator[Option]:
    """The options of a set, as the field that holds it wants them."""
    below = {inner.name: getattr(default, inner.name) for inner in fields(default)}
    for option in _walk(type(default), below, path):
        if option.name in f.metadata.get("without", ()):
            continue
        yield replace(
            option,
            name=f.metadata.get("renamed", {}).get(option.name, option.name),
            positional=option.positional or option.name == f.metadata.get("positional"),
        )


def _default(f: Field[Any]) -> Any:
    return f.default_factory() if f.default_factory is not MISSING else f.default


def _owner(kind: type, name: str) -> type:
    """The class that first said what the option is; a new default does not move it."""
    return next(c for c in reversed(kind.__mro__) if name in get_annotations(c))


def _helps(kind: type) -> dict[str, str]:
    """Field → its text in the docstrings of the class and of those that it comes from."""
    return {
        parameter.arg_name: " ".join((parameter.description or "").split())
        for base in reversed(kind.__mro__)
        for parameter in parse_docstring(base.__doc__ or "").params
    }


def fill(kind: type, given: Mapping[str, Any]) -> Any:
    """The command with these values, by option name, and defaults for the rest.

    Raises:
        ValueError: an option set refuses a value.
    """
    tree: dict[str, Any] = {}
    for option in options(kind):
        if option.name in given:
            branch = tree
            for part in option.path[:-1]:
                branch = branch.setdefault(part, {})
            branch[option.path[-1]] = given[option.name]
    defaults = {f.name: _default(f) for f in fields(kind)}
    filled = {}
    for name, values in tree.items():
        try:
            filled[name] = _filled(defaults[name], values)
        except ValueError as error:  # of a set, which knows its own names only
            inside = {o.path[-1]: o.spelling for o in options(kind) if o.path[0] == name}
            raise ValueError(_respelled(str(error), inside)) from None
    return kind(**filled)


def _filled(default: Any, values: Any) -> Any:
    if not is_dataclass(default):
        return values
    inner = {name: _filled(getattr(default, name), value) for name, value in values.items()}
    return replace(default, **inner)  # type: ignore[type-var]


def flat(command: Any) -> dict[str, Any]:
    """Option → value: what a record of the run keeps of its command."""
    return {option.name: option.value(command) for option in options_of(command)}


def command_line(verb: str, command: Any, without: Collection[str] = ()) -> str:
    """The shortest command line that makes the command: defaults are left out."""
    words = ["preimage", verb]
    for option in options_of(command):
        value = option.value(command)
        if option.name in without or value == option.default:
            continue
        if not option.positional:
            words.append(option.spelling)
        if value is not True or option.hint is not bool:
            words += map(str, value if isinstance(value, tuple) else (value,))
    return shlex.join(words)


def spelled(message: str, kind: type) -> str:
    """A message of the library with its arguments in backticks spelled as the verb's options."""
    names = {option.path[-1]: option.spelling for option in options(kind)}
    names |= {option.name: option.spelling for option in options(kind)}
    return _respelled(message, names)


def _respelled(message: str, names: Mapping[str, str]) -> str:
    return re.sub(r"`(\w+)`", lambda found: names.get(found[1], found[0]), message)
