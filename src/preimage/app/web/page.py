"""The page itself and the files that it needs, all read once, when the server starts."""

import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from preimage._version import __version__
from preimage.app.web.controls import controls, layers
from preimage.app.web.decoders import OpenDecoder
from preimage.app.web.settings import START_PHOTO
from preimage.data.html import template
from preimage.data.photo import EMBEDDED


@dataclass(frozen=True)
class StaticFile:
    """A file that is sent as it is."""

    data: bytes
    kind: str
    etag: str


def _static_files() -> dict[str, StaticFile]:
    folder = resources.files("preimage.app.web") / "static"
    found = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    style = resources.files("preimage.data") / "templates" / "style.css"
    found["style.css"] = style.read_bytes()  # that of the reports
    return {name: StaticFile(data, _kind(name), _etag(data)) for name, data in found.items()}


def _kind(name: str) -> str:
    # Not what the machine says: some call JavaScript text, and nosniff then refuses it.
    known = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    return known.get(name.rpartition(".")[2], mimetypes.guess_type(name)[0] or "text/plain")


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:16]}"'


STATIC = _static_files()


def page(decoders: Sequence[OpenDecoder], most: int) -> str:
    """The page as it begins; what its address asks for, its scripts read.

    Args:
        most: bytes of an upload, so that the page need not send what will be refused.
    """
    text: str = template("preimage.app.web", "page.html").render(
        controls=controls(),
        layers=layers(),
        photos=EMBEDDED,
        start_photo=START_PHOTO,
        decoders=decoders,
        most=most,
        version=__version__,
    )
    return text
