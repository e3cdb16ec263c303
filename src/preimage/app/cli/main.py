"""The command line: arguments in, one call, results on stdout, the rest on stderr.

A verb is a dataclass and a module of its name in `preimage.app.cli`, imported when the verb runs:
help needs no torch. Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted (Ctrl-C), 143
terminated (SIGTERM).
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from preimage._version import __version__
from preimage.app.cli.options import fill, flat, spelled
from preimage.data.termination import Terminated, terminable

#: verb → the module and the dataclass of its command
VERBS = {
    "demo": "commands:DemoCommand",
    "evaluate": "decoder_commands:EvaluateCommand",
    "fit": "decoder_commands:FitCommand",
    "info": "commands:InfoCommand",
    "layers": "probe_commands:LayersCommand",
    "limit": "commands:LimitCommand",
    "pretrain": "decoder_commands:PretrainCommand",
    "probe": "probe_commands:ProbeCommand",
    "reconstruct": "commands:ReconstructCommand",
    "reproduce": "commands:ReproduceCommand",
    "serve": "commands:ServeCommand",
    "retain": "retain_command:RetainCommand",
    "shapes": "commands:ShapesCommand",
    "show": "commands:ShowCommand",
    "sweep": "commands:SweepCommand",
    "train": "decoder_commands:TrainCommand",
}
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
#: What they have finished stays in their folder, and is not computed again.
_RESUMED = {"pretrain", "probe", "reproduce", "retain", "sweep", "train"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; `--debug` lets errors through as tracebacks."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    words = [word for word in arguments if word != "--debug"]
    try:
        with terminable():
            code = _run(words)
            sys.stdout.flush()
        return code
    except KeyboardInterrupt as stop:
        return _stopped(stop, words)
    except BrokenPipeError:  # `preimage show | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if len(words) < len(arguments):
            raise
        print(f"preimage: {_one_line(error, words)}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1


def _stopped(stop: KeyboardInterrupt, words: Sequence[str]) -> int:
    """Says that the command was stopped and how to go on; its exit code."""
    terminated = isinstance(stop, Terminated)
    resumed = bool(words) and words[0] in _RESUMED
    print(
        f"preimage: {'terminated' if terminated else 'interrupted'}"
        f"{'; the same command goes on from here' if resumed else ''}.",
        file=sys.stderr,
    )
    return 143 if terminated else 130


def command_type(verb: str) -> type:
    """The dataclass of a verb's command."""
    module, name = VERBS[verb].split(":")
    kind: type = getattr(import_module(f"preimage.app.cli.{module}"), name)
    return kind


def _run(words: Sequence[str]) -> int:
    from preimage.app.cli import parser

    if not words or words[0] not in VERBS:
        parser.parse_top({verb: command_type(verb) for verb in VERBS}, words, __version__)
        return 0
    verb, kind = words[0], command_type(words[0])
    given = parser.parse(verb, kind, words[1:])
    if given is None:
        return 0
    given.pop("config", None)
    if given.pop("print_config", False):
        print(_yaml(fill(kind, given)), end="")
        return 0
    command = fill(kind, given)
    if hasattr(command, "check_given"):
        command.check_given(given)
    import_module("preimage.app.cli.log").show_log(kind)
    code: int = import_module(f"preimage.app.cli.{verb}").run(command)
    return code


def _yaml(command: Any) -> str:
    import yaml

    values = {k: list(v) if isinstance(v, tuple) else v for k, v in flat(command).items()}
    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return text


def _one_line(error: Exception, words: Sequence[str]) -> str:
    """The message, its arguments spelled as options of the verb."""
    message = " ".join(_reason(error).split()) or type(error).__name__
    return spelled(message, command_type(words[0])) if words and words[0] in VERBS else message


def _reason(error: Exception) -> str:
    """What went wrong; of a disk that can't be written, what to do too."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    reason = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if error.errno not in _DISK:
        return reason
    return (
        f"a result can't be written ({reason}); files that were written whole are kept. Make room "
        "or name another `out`, then give the command again."
    )
