"""From words to a verb's command, by cyclopts: the only module that knows the parser.

Of cyclopts 5.5, tyro 1.0 and jsonargparse 4.53, cyclopts alone reads a YAML file that the command
line overrides, shows panels without type names, and says an error in one line; its start is also
the fastest. It forgets the defaults of an option set as soon as one of its options is given, so it
sees the flat options of `preimage.app.cli.options`, not the composed dataclass.
"""

from collections.abc import Sequence
from dataclasses import MISSING
from functools import cache
from inspect import Parameter as Argument
from inspect import Signature
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cyclopts import (
    App,
    CycloptsError,
    Group,
    MissingArgumentError,
    Parameter,
    Token,
    convert,
)
from cyclopts.config import Yaml

from preimage.app.cli.completion import COMPLETION, add_completion
from preimage.app.cli.options import Option, options, parts

#: The panel of the help for the options that a class declares; a verb's own come first.
_PANELS = {
    "EncoderSpec": "CNN",
    "EncoderOptions": "CNN",
    "NetworkConfig": "DCN",
    "DecoderOptions": "DCN",
    "ReconstructConfig": "Weights and photos",
    "SweepConfig": "Grid",
    "DataOptions": "Photos",
    "PixelOptions": "Pixels",
    "RecipeChanges": "Recipe",
    "MachineOptions": "Machine",
    "Execution": "Machine",
    "TrainingSet": "Decoders that learn (Figures 2, 3, 4 and 6)",
}
_GROUPS = {
    title: Group(title, sort_key=place)
    for place, title in enumerate(["Options", *dict.fromkeys(_PANELS.values()), "Common"])
}
_COMMON = _GROUPS["Common"]
_OTHER_NETWORKS = "preimage probe --model measures the layers and preimage fit --model decodes one"


class UsageError(ValueError):
    """Words that are no command: one line for the user, exit code 2."""


def parse_top(kinds: dict[str, type], words: Sequence[str], version: str) -> None:
    """Answers `preimage` with no verb before anything else: help, version, completion.

    Raises:
        UsageError: no verb, or no such verb.
    """
    if not words or not words[0].startswith("-"):
        said = f"`{words[0]}` is no verb; " if words else ""
        raise UsageError(f"{said}name one of {', '.join(kinds)} (see preimage --help)")
    app = _app("preimage", "What does a layer of a network remember of the image?", version)
    for verb, kind in kinds.items():
        app.command(_app(verb, (kind.__doc__ or "").split("\n")[0]))

    def whole() -> App:
        complete = _app("preimage", app.help, version)
        for verb, kind in kinds.items():
            complete.command(verb_app(verb, kind))
        return complete

    add_completion(app, whole)
    for name in (*COMPLETION, "--help", "--version"):
        app[name].group = _COMMON
    _call(app, words)


def parse(verb: str, kind: type, words: Sequence[str]) -> dict[str, Any] | None:
    """The values that were given, by option; None if help was asked for, and printed.

    Raises:
        UsageError: no such option, or not a value of it.
    """
    values: dict[str, Any] | None = _call(verb_app(f"preimage {verb}", kind), words)
    return values


def _call(app: App, words: Sequence[str]) -> Any:
    try:
        return app(words, exit_on_error=False, print_error=False)
    except MissingArgumentError as error:
        reason = _missing(error, words)
    except CycloptsError as error:
        reason = str(error)
        if "architecture" in reason.lower():
            reason += f" Of any other network, {_OTHER_NETWORKS}."
    except FileNotFoundError as error:
        reason = f"--config {error.filename}: no such file."
    raise UsageError(f"{' '.join(reason.split())} (see {app.name[0]} --help)")


def _missing(error: MissingArgumentError, words: Sequence[str]) -> str:
    """What to give an option that must be given."""
    if error.argument is None or error.argument.name in words:  # named, without a value
        return str(error)
    choices = error.argument.get_choices()
    named = f"; name one of {', '.join(choices)}" if choices else ""
    return f"{error.argument.name} is missing{named}."


@cache
def verb_app(name: str, kind: type) -> App:
    """The parser of a verb; its call returns the values that were given, by option."""
    positional = [option.name for option in options(kind) if option.positional]

    def collect(*first: Any, **given: Any) -> dict[str, Any]:
        return dict(zip(positional, first, strict=False)) | given

    arguments = [_argument(option) for option in options(kind)]
    arguments.sort(key=lambda argument: argument.kind)  # positional ones first
    collect.__signature__ = Signature([*arguments, *_common()])  # type: ignore[attr-defined]
    app = _app(name, (kind.__doc__ or "").split("\n    Args:")[0])
    app.config = _read_config
    app.default(collect)
    return app


def _app(name: str, help: str, version: str | None = None) -> App:
    return App(
        name=name,
        help=help,
        help_format="plaintext",
        version=version,
        version_flags="--version" if version else (),
        group_commands="Verbs" if version else _COMMON,
        group_parameters=_GROUPS["Options"],
        group_arguments=_GROUPS["Options"],
        default_parameter=Parameter(
            consume_multiple=True, allow_repeating=True, negative=(), show_default=False
        ),
        result_action="return_value",
    )


def _argument(option: Option) -> Argument:
    """What cyclopts needs to know of an option."""
    required = option.default is MISSING
    words: dict[str, Any] = {"help": option.help, "group": _panel(option)}
    if not required and not any(option.default is nothing for nothing in (None, False, (), "")):
        words["show_default"] = _shown
    hint = option.hint
    types = tuple(parts(hint))
    if int in types:
        words["converter"] = _whole
    if bool in types and hint is not bool:  # three states, so a value rather than a flag
        hint, words["converter"] = Literal["true", "false"], _truth
    return Argument(
        option.name,
        Argument.POSITIONAL_OR_KEYWORD if option.positional else Argument.KEYWORD_ONLY,
        default=Argument.empty if required else option.default,
        annotation=Annotated[hint, Parameter(**words)],
    )


def _common() -> list[Argument]:
    """The options that every verb has besides its own."""
    config = Parameter(help="YAML file with options; the command line overrides it.", group=_COMMON)
    shown = Parameter(
        name=("--print-config", "--print_config"),
        help="Print the options as such a file and stop.",
        group=_COMMON,
    )
    return [
        Argument("config", Argument.KEYWORD_ONLY, annotation=Annotated[Path, config], default=None),
        Argument(
            "print_config", Argument.KEYWORD_ONLY, annotation=Annotated[bool, shown], default=False
        ),
    ]


def _panel(option: Option) -> Group:
    return _GROUPS[
        "Options" if option.positional else _PANELS.get(option.owner.__name__, "Options")
    ]


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _whole(hint: Any, tokens: Sequence[Token]) -> Any:
    """Whole numbers; cyclopts alone would round 4.5 to 4."""
    for token in tokens:
        if "." in token.value:
            raise ValueError(f"{token.value} is not a whole number.")
    return convert(hint, tokens)


def _truth(hint: Any, tokens: Sequence[Token]) -> bool:
    """`true` or `false`, as YAML and Python write them."""
    word = tokens[0].value.lower()
    if word not in get_args(hint):
        raise ValueError(f"{tokens[0].value} is neither true nor false.")
    return word == "true"


def _read_config(app: App, commands: tuple[str, ...], arguments: Any) -> None:
    """Gives the options that the command line leaves open the values of the --config file."""
    for token in arguments.match("--config")[0].tokens:
        _require_yaml(Path(token.value))
        file = Yaml(token.value, must_exist=True, use_commands_as_keys=False)
        file(app, commands, arguments)


def _require_yaml(path: Path) -> None:
    """Says where a file is no YAML; that there is none, the parser says."""
    import yaml

    try:
        if path.is_file():
            yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or type(error).__name__
        raise UsageError(
            f"--config {path}: not a YAML file of options ({reason}{where})."
        ) from None
