"""The command line: arguments in, one call, results on stdout, the rest on stderr.

A verb is a dataclass and a module of its name in `preimage.app.cli`. Exit
codes: 0 done, 1 failed, 2 wrong input, 130 interrupted.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from importlib import import_module
from typing import Any, NoReturn, TextIO, get_args, get_origin, get_type_hints

from preimage._version import __version__
from preimage.app.cli import commands, decoder_commands

#: verb → (its dataclass, its positional field)
VERBS: dict[str, tuple[type, str | None]] = {
    "demo": (commands.DemoCommand, None),
    "evaluate": (decoder_commands.EvaluateCommand, None),
    "fit": (decoder_commands.FitCommand, None),
    "limit": (commands.LimitCommand, "photo"),
    "pretrain": (decoder_commands.PretrainCommand, None),
    "reconstruct": (commands.ReconstructCommand, "photos"),
    "reproduce": (commands.ReproduceCommand, "figure"),
    "shapes": (commands.ShapesCommand, "architecture"),
    "show": (commands.ShowCommand, "architecture"),
    "sweep": (commands.SweepCommand, "action"),
    "train": (decoder_commands.TrainCommand, None),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; `--debug` lets errors through as tracebacks."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        verb, options = _choose_verb([word for word in arguments if word != "--debug"])
        config = _parse(verb, options)
        _show_log()
        code: int = import_module(f"preimage.app.cli.{verb}").run(config)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("preimage: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `preimage show | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        message = " ".join(str(error).split()) or type(error).__name__
        print(f"preimage: {message}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _show_log() -> None:
    """The package's own log goes to stderr, as its errors do."""
    logger = logging.getLogger("preimage")
    if not logger.handlers:
        handler = _Stderr()
        handler.setFormatter(logging.Formatter("preimage: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _choose_verb(arguments: list[str]) -> tuple[str, list[str]]:
    # The standard library's parser: jsonargparse alone takes a third of a second to import.
    parser = argparse.ArgumentParser(
        prog="preimage",
        usage="preimage [--help] [--version] [--debug] VERB ...",
        description="What does a layer of a network remember of the image?",
        epilog="Each verb has its own --help.",
    )
    parser.error = lambda message: _fail("preimage", message)  # type: ignore[method-assign]
    parser.add_argument("--version", action="version", version=f"preimage {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, (kind, _) in VERBS.items():
        verbs.add_parser(verb, help=_summary(kind), add_help=False)
    known, options = parser.parse_known_args(arguments[:1])
    return known.verb, [*options, *arguments[1:]]


def _parse(verb: str, options: list[str]) -> Any:
    """The verb's dataclass, filled in from its options and, with --config, from a YAML file."""
    kind, positional = VERBS[verb]
    parser = _options_parser(verb)
    try:
        values = parser.parse_args(options).as_dict()
        if positional:
            values[positional] = _positional(parser, positional, options, values["config"])
    except UnicodeDecodeError:
        raise ValueError("--config must name a YAML file; this one is not text.") from None
    hints = get_type_hints(kind)
    return kind(
        **{
            field.name: _checked(field, values[field.name], hints[field.name])
            for field in fields(kind)
        }
    )


def _options_parser(verb: str) -> Any:
    """A parser with an option for each field of the verb's dataclass, help from its docstring."""
    from docstring_parser import parse as parse_docstring
    from jsonargparse import ArgumentParser

    class Parser(ArgumentParser):
        def error(self, message: str, ex: Exception | None = None) -> NoReturn:
            _fail(str(self.prog), message)

    kind, positional = VERBS[verb]
    help_of = {
        parameter.arg_name: (parameter.description or "").replace("\n", " ").replace("%", "%%")
        for base in reversed(kind.__mro__)
        for parameter in parse_docstring(base.__doc__ or "").params
    }
    hints = get_type_hints(kind)
    parser = Parser(prog=f"preimage {verb}", description=_summary(kind))
    for field in fields(kind):
        name = field.name if field.name == positional else f"--{field.name.replace('_', '-')}"
        words: dict[str, Any] = {"help": help_of[field.name]}
        if hints[field.name] is bool:
            words |= {"action": "store_true"}
        elif get_origin(hints[field.name]) is tuple:
            item = get_args(hints[field.name])[0]
            words |= {"nargs": "*", "default": list(field.default)}  # type: ignore[arg-type]
            words |= {} if item is str else {"type": item}
        elif (
            name == positional
        ):  # its default comes in `_checked`, behind the --config file's value
            words |= {"type": hints[field.name], "nargs": "?", "default": None}
        else:
            words |= {"type": hints[field.name], "default": field.default}
        parser.add_argument(name, **words)
    parser.add_argument("--config", action="config", help="A YAML file with these options.")
    return parser


def _positional(parser: Any, name: str, options: list[str], files: list[Any] | None) -> Any:
    """A positional's value: the command line's, else the --config file's.

    The parser alone takes whichever comes last, and a positional left out for an empty one.
    """
    direct = parser.parse_args(_without_config(options))[name]
    if direct or not files:
        return direct
    return parser.parse_path(files[-1], defaults=False).get(name)


def _without_config(options: list[str]) -> list[str]:
    kept = []
    skip = False
    for word in options:
        if not skip and not word.startswith("--config"):
            kept.append(word)
        skip = word == "--config"
    return kept


def _checked(field: Field[Any], value: Any, hint: Any) -> Any:
    """A value from the command line or a file, where the parser does not look closely."""
    if value is None and field.default is not MISSING:
        value = field.default
    if value is None and field.default is MISSING:
        raise ValueError(f"`{field.name}` is missing; name one of {', '.join(get_args(hint))}.")
    if hint is bool and not isinstance(value, bool):
        raise ValueError(f"`{field.name}` must be true or false, got {value!r}.")
    if get_origin(hint) is tuple:
        values = value if isinstance(value, list | tuple) else [value]
        if get_args(hint)[0] is str and not all(isinstance(name, str) for name in values):
            raise ValueError(f"`{field.name}` must be a list of names, got {value!r}.")
        return tuple(values)
    return value


def _summary(kind: type) -> str:
    return (kind.__doc__ or "").split("\n")[0]


def _fail(prog: str, message: str) -> NoReturn:
    print(f"{prog}: {' '.join(message.split())} (see {prog} --help)", file=sys.stderr)
    raise SystemExit(2)
