"""Decoders to choose from: files named on the command line, and uploads, kept in memory only."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch

from preimage.app.web.cache import Cache
from preimage.app.web.photos import file_name
from preimage.data.checkpoints import FileBytes
from preimage.decoders.cards import DECODER_KIND, open_card
from preimage.decoders.inverter import Inverter
from preimage.network.description import Description
from preimage.network.footprint import weight_bytes
from preimage.probing.open_layer import open_inverter


@dataclass(frozen=True)
class OpenDecoder:
    """A decoder that can be chosen.

    Args:
        id: by which addresses name it.
        file: its name, or its path as the command line gave it.
        model: that had to be named for it to be opened; None for a decoder with its own encoder.
        bytes: that it takes in memory.
    """

    id: str
    file: str
    model: str | None
    inverter: Inverter
    bytes: int


class DecoderStore:
    """All decoders of a server, by id.

    Args:
        files: those of the command line; they stay.
        models: that these may name where opening one runs code or asks the network.
        most: bytes of uploaded ones that are kept.

    Raises:
        CheckpointError: a file is no decoder, or its model can't be opened.
    """

    def __init__(
        self, files: Sequence[str], models: Sequence[str], device: torch.device, most: int
    ) -> None:
        self._device = device
        self._named = {
            f"file-{i}": _open(f"file-{i}", f, models, device) for i, f in _numbered(files)
        }
        self._uploads = Cache[OpenDecoder](most)
        self._most = most
        self._lock = Lock()

    def all(self) -> list[OpenDecoder]:
        """Those of the command line, then the uploads."""
        return [*self._named.values(), *self._uploads.values()]

    def get(self, id: str) -> OpenDecoder:
        """The decoder of this id.

        Raises:
            ValueError: there is none.
        """
        found = self._named.get(id) or self._uploads.get(id)
        if found is None:
            raise ValueError(
                "`decoder` is not here (any more): decoders that are dropped on the page are kept "
                "in memory only. Drop it again, or choose another one."
            )
        return found

    def add(self, name: str, data: bytes) -> OpenDecoder:
        """Opens an uploaded file and keeps it. It brings its encoder, or is refused.

        Raises:
            CheckpointError: it is no decoder, or damaged.
            ValueError: its encoder is a layer of a model; or too large.
        """
        file = FileBytes(file_name(name), data)
        card = open_card(file, DECODER_KIND)
        if card["encoder"].get("layer") is not None:
            model = str(card["encoder"]["origin"]["model"])
            raise ValueError(
                f"{file}: its encoder is a layer of {model:.80}, which is not in the file; start "
                "preimage serve with --decoder FILE to use it."
            )
        self._require_small(card)
        with self._lock:  # one at a time, for each may take as much memory as all that are kept
            inverter = Inverter.load(file).to(self._device)
        id = hashlib.sha256(data).hexdigest()[:20]
        opened = OpenDecoder(id, file.name, None, inverter, _bytes_of(inverter))
        self._uploads.put(id, opened, opened.bytes)
        return opened

    def _require_small(self, card: dict[str, Any]) -> None:
        """Refuses an encoder whose weights would be drawn, before they are."""
        described = [card["encoder"]["description"], card["decoder"].get("description")]
        needed = weight_bytes(*(Description.from_dict(d) for d in described if d is not None))
        if needed > self._most:
            raise ValueError(
                f"`decoder`: its weights take {needed / 1e6:,.0f} MB, and an uploaded one at most "
                f"{self._most / 1e6:,.0f} MB; start preimage serve with --decoder FILE to use it."
            )


def _numbered(files: Sequence[str]) -> list[tuple[int, str]]:
    return list(enumerate(files))


def _open(id: str, file: str, models: Sequence[str], device: torch.device) -> OpenDecoder:
    origin = open_card(file, DECODER_KIND)["encoder"]["origin"]
    model = origin.get("model") if origin.get("model") in models else None
    inverter = open_inverter(file, None, model).to(device)
    return OpenDecoder(id, file, model, inverter, _bytes_of(inverter))


def _bytes_of(inverter: Inverter) -> int:
    tensors = [*inverter.encoder.state_dict().values(), *inverter.decoder.state_dict().values()]
    return sum(t.numel() * t.element_size() for t in tensors)
