"""`preimage serve`: the page, in a browser on this machine."""

import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from preimage.app.cli.commands import ReconstructCommand, ServeCommand
from preimage.app.cli.options import command_line
from preimage.network.spec import ReconstructConfig

if TYPE_CHECKING:
    from preimage.app.web.decoders import OpenDecoder


def run(command: ServeCommand) -> int:
    """Serves the page until it is stopped, which is how it ends well: 0."""
    if missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
        raise ValueError(
            f"preimage serve needs {' and '.join(missing)}; pip install 'preimage[serve]'."
        )
    from preimage.app.web.server import serve

    with suppress(KeyboardInterrupt):
        serve(command.server, spell)
    print("preimage: stopped.", file=sys.stderr)
    return 0


def spell(photos: tuple[str, ...], config: ReconstructConfig, decoder: "OpenDecoder | None") -> str:
    """The command that makes a picture of the page."""
    file = model = None
    if decoder is not None:
        config, file, model = ReconstructConfig(size=config.size), decoder.file, decoder.model
    command = ReconstructCommand(photos=photos, decoder=file, model=model, pair=config)
    return command_line("reconstruct", command, without=("device",))
