"""Photos to choose from: the embedded ones, and uploads, whose files are kept in memory only."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from preimage.app.web.cache import Cache
from preimage.data.decoding import read_image
from preimage.data.photo import EMBEDDED, Photo, embedded_photos, to_pixels

_READ = 64 * 2**20  # bytes of pixels that are kept beside the files
_LONGEST_NAME = 80  # characters


class NoSuchPhoto(ValueError):
    """The id of no photo, or of one that had to make room."""


@dataclass(frozen=True)
class Upload:
    """The file of a photo, as it came.

    Args:
        id: by which addresses name it; it cannot be guessed from the photo.
        name: what its owner's machine calls the file, without folders.
    """

    id: str
    name: str
    data: bytes


class PhotoStore:
    """All photos of a server, by id.

    Args:
        most: bytes of files that are kept.
    """

    def __init__(self, most: int) -> None:
        self._uploads = Cache[Upload](most)
        self._read = Cache[Photo](_READ)
        self._secret = secrets.token_bytes(32)

    def add(self, name: str, data: bytes) -> Upload:
        """Keeps a file once it has been read as a picture.

        Raises:
            PhotoError: it cannot be.
        """
        clean = file_name(name)
        read_image(clean, lambda: data, 64)
        digest = hmac.digest(self._secret, hashlib.sha256(data).digest(), "sha256").hex()
        upload = Upload(digest[:20], clean, data)
        self._uploads.put(upload.id, upload, len(data))
        return upload

    def upload(self, id: str) -> Upload | None:
        """The upload of this id; None for an embedded photo.

        Raises:
            NoSuchPhoto: there is none.
        """
        if id in EMBEDDED:
            return None
        if (found := self._uploads.get(id)) is None:
            raise NoSuchPhoto(
                "`photo` is not here (any more): photos that are dropped on the page are kept in "
                "memory only. Drop it again, or choose another one."
            )
        return found

    def load(self, id: str, size: int) -> Photo:
        """The photo, cropped to its central square and resized to this side.

        Raises:
            NoSuchPhoto: there is none.
        """
        upload = self.upload(id)
        if (photo := self._read.get((id, size))) is not None:
            return photo
        photos: Sequence[Photo]
        if upload is None:
            photos = embedded_photos(size)
        else:
            image = read_image(upload.name, lambda: upload.data, size)
            name = PurePosixPath(upload.name).stem
            photos = [Photo(name, upload.name, to_pixels(image).float())]
        for photo in photos:
            key = photo.name if upload is None else id
            self._read.put((key, size), photo, 4 * photo.pixels.numel())
        return next(p for p in photos if upload is not None or p.name == id)


def file_name(name: str) -> str:
    """The last part of a name, without what no terminal should print; never empty."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    clean = "".join(c for c in last if c.isprintable())
    return clean.lstrip(".")[-_LONGEST_NAME:] or "photo"
