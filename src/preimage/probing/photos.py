"""The photos of a probe: some to fit decoders to, others to score."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from preimage.data.photo import Photo, fingerprint
from preimage.data.photos import Photos, stack_photos
from preimage.notebook.brief import Brief

Pixels = Float[Tensor, "N 3 H W"]
HeldOut = Float[Tensor, "M 3 H W"]
Other = Float[Tensor, "L 3 H W"]


@dataclass(frozen=True, repr=False)
class ProbePhotos(Brief):
    """Photos of one size, in [0, 255]: `training` fits decoders, `held_out` is scored.

    So are `other` photos, of another domain, if there are any.
    """

    training: Pixels
    held_out: HeldOut
    other: Other | None = None

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts().values())

    def _parts(self) -> dict[str, Tensor]:
        parts = {"training": self.training, "held_out": self.held_out, "other": self.other}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return (self.training.shape[2], self.training.shape[3])

    def record(self) -> dict[str, Any]:
        """Numbers of photos, and a hash of their pixels."""
        hashes = {
            name: fingerprint(Photo("", "", photo).sha256 for photo in part)
            for name, part in self._parts().items()
        }
        return {**{name: len(part) for name, part in self._parts().items()}, "sha256": hashes}


def open_probe_photos(
    photos: Photos, held_out: Photos | None, size: int, other: Photos | None = None
) -> ProbePhotos:
    """The photos of a probe; without `held_out` the last quarter of `photos` is held out.

    Args:
        size: files are cropped to their centre square and resized to this side.

    Raises:
        ValueError: too few photos, or of different sizes.
        PhotoError: a photo can't be read.
    """
    training = stack_photos(photos, size)
    if held_out is not None:
        held = stack_photos(held_out, size)
    else:
        held = training[len(training) - len(training) // 4 :]
        training = training[: len(training) - len(held)]
    if len(training) < 5 or len(held) < 2:
        raise ValueError(
            f"`photos`: a probe needs at least 5 photos to fit to and 2 to score, got "
            f"{len(training)} and {len(held)}."
        )
    elsewhere = None if other is None else stack_photos(other, size)
    if elsewhere is not None and len(elsewhere) < 2:
        raise ValueError(f"`other` must be at least 2 photos, got {len(elsewhere)}.")
    for name, part in (("held_out", held), ("other", elsewhere)):
        if part is not None and training.shape[1:] != part.shape[1:]:
            raise ValueError(
                f"`{name}` must have the size of `photos`, {tuple(training.shape[2:])}, got "
                f"{tuple(part.shape[2:])}."
            )
    return ProbePhotos(training, held, elsewhere)
