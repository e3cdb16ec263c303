"""A config as the command line that makes it."""

import shlex
from collections.abc import Collection
from dataclasses import fields
from typing import Any


def command_line(
    verb: str, config: Any, positional: str = "", without: Collection[str] = ()
) -> str:
    """The shortest command that fills in the config: what equals its default is left out."""
    words = ["preimage", verb]
    if positional:
        words.append(str(getattr(config, positional)))
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == positional or field.name in without or value == field.default:
            continue
        name = f"--{field.name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(name)
        else:
            words += [name, *map(str, value if isinstance(value, tuple) else (value,))]
    return shlex.join(words)
