"""The same picture again: as lines of Python, and as a command."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from preimage.app.web.decoders import OpenDecoder
from preimage.app.web.requests import Asked
from preimage.data.photo import EMBEDDED
from preimage.network.spec import ReconstructConfig

#: (files of photos, options, decoder) → the command line; the command line spells it.
Spell = Callable[[tuple[str, ...], ReconstructConfig, OpenDecoder | None], str]
_WIDEST = 88  # columns


@dataclass(frozen=True)
class Again:
    """How to make a picture elsewhere.

    Args:
        spell: writes a command line.
    """

    spell: Spell

    def python(self, asked: Asked, file: str | None, decoder: OpenDecoder | None = None) -> str:
        """Lines that save the picture that the page shows.

        Args:
            file: of an uploaded photo; None for an embedded one.
            decoder: in place of the random network.
        """
        if file is None:
            index = EMBEDDED.index(asked.photo)
            source = f"embedded_photos({asked.config.size})[{index}]"
            name, saved = "embedded_photos", asked.photo
        else:
            source, name, saved = repr(file), "", file.rpartition(".")[0] or file
        if decoder is not None:
            return _decoded(source, asked.config.size, decoder, f"{saved}_decoded.png", name)
        imports = ", ".join(filter(None, (name, "reconstruct")))
        without = {"device"} | ({"size"} if file is None else set())
        default = ReconstructConfig()
        options = [
            f"{f.name}={getattr(asked.config, f.name)!r}"
            for f in fields(ReconstructConfig)
            if f.name not in without and getattr(asked.config, f.name) != getattr(default, f.name)
        ]
        call = _call("[result] = reconstruct", [source, *options])
        return f"from preimage import {imports}\n\n{call}\nresult.save({f'{saved}_grey.png'!r})\n"

    def command(self, asked: Asked, file: str | None, decoder: OpenDecoder | None = None) -> str:
        """The command that writes the picture into its folder.

        An embedded photo cannot be named alone: the command then makes pictures of all four.
        """
        photos = () if file is None else (f"./{file}" if file.startswith("-") else file,)
        return self.spell(photos, asked.config, decoder)


def _call(function: str, arguments: list[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDEST:
        return line
    return "\n".join([f"{function}(", *(f"    {argument}," for argument in arguments), ")"])


def _decoded(source: str, size: int, decoder: OpenDecoder, saved: str, name: str) -> str:
    model = "" if decoder.model is None else f", model={decoder.model!r}"
    if name:
        imports, photo = f"from preimage import {name}\n", f"photo = {source}"
    else:
        imports = "from preimage import load_photos\n"
        photo = f"[photo] = load_photos({source}, size={size})"
    return (
        f"{imports}from preimage.data.photo import clipped_image\n"
        "from preimage.probing.open_layer import open_inverter\n\n"
        f"{photo}\n"
        f"output = open_inverter({decoder.file!r}{model})(photo.pixels[None])[0]\n"
        f"clipped_image(output).save({saved!r})\n"
    )
