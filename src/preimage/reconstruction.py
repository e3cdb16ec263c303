"""Photos through a random CNN and back through its random DCN (Section 4), nothing trained."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.config import ReconstructConfig
from preimage.images import Photo, embedded_photos, load_photos, to_image
from preimage.metrics import GREY, grey_scores
from preimage.network import Network, build
from preimage.results import environment

#: What was subtracted from ImageNet photos before training, RGB, of pixels in [0, 255].
IMAGENET_MEAN = (123.68, 116.779, 103.939)


@dataclass(frozen=True)
class Reconstruction:
    """One photo's way through a network: the raw output, the grey picture, and its scores.

    `colour` is the network's output as it is, of no particular range; `grey` is the picture that
    was scored: grey, stretched to [0, 1], its luminosity inverted where `inverted` says so.
    """

    photo: Photo
    colour: Float[Tensor, "C H W"]
    grey: Float[Tensor, "H W"]
    ssim: float
    pearson: float
    mse: float
    psnr: float
    inverted: bool

    def save(self, path: str | Path) -> None:
        """Writes the grey picture; the file name's ending chooses the format."""
        to_image(self.grey[None]).save(path)

    def record(self) -> dict[str, Any]:
        """The scores as plain data."""
        scores = {name: getattr(self, name) for name in ("ssim", "pearson", "mse", "psnr")}
        return {
            "photo": self.photo.name,
            "source": self.photo.source,
            "photo_sha256": self.photo.sha256,
            **scores,
            "inverted": self.inverted,
        }


def reconstruct(
    photos: str | Path | Photo | Sequence[str | Path | Photo] | None = None,
    config: ReconstructConfig | None = None,
    **words: Any,
) -> list[Reconstruction]:
    """Sends photos through a random CNN and its random DCN.

        >>> from preimage import reconstruct
        >>> cat = reconstruct(layer="conv1", pooled=True, head="mean", unpool="nearest")[1]
        >>> f"{cat.photo.name}: SSIM {cat.ssim:.2f}, Pearson {cat.pearson:.2f}"
        'chelsea: SSIM 0.66, Pearson 0.92'

    Args:
        photos: files, folders, zips, glob patterns or `Photo`s; the embedded ones if not given.
        config: the network and the photos' preparation; `words` change single fields of it.

    Raises:
        PhotoError: a photo can't be read.
        ValueError: a word does not fit, or a photo is too small for the layer.
    """
    config = replace(config or ReconstructConfig(), **words)
    return list(stream_reconstructions(config, _open(photos, config.size or None)))


def stream_reconstructions(
    config: ReconstructConfig, photos: Iterable[Photo]
) -> Iterator[Reconstruction]:
    """One reconstruction a photo, as they are ready; one photo in memory at a time."""
    device = resolve_device(config.device)
    network = build(
        config.network(),
        config.weights,
        seed=config.seed,
        network=config.network_number,
        device=device,
    )
    for photo in photos:
        yield pass_through(network, photo, config.input, device)


@torch.inference_mode()
def pass_through(
    network: Network,
    photo: Photo,
    input_range: str = "nonnegative",
    device: torch.device | str = "cpu",
) -> Reconstruction:
    """One photo through one network, scored by the grey contract."""
    pixels = photo.pixels[None].to(device)
    if input_range == "mean-subtracted":
        pixels = pixels - torch.tensor(IMAGENET_MEAN, device=device)[:, None, None]
    return score(photo, network(pixels))


def score(photo: Photo, output: Float[Tensor, "1 C H W"]) -> Reconstruction:
    """The output of a network for a photo, scored by the grey contract."""
    output = output.cpu()
    scores = grey_scores(photo.pixels[None], output)
    return Reconstruction(
        photo,
        output[0],
        scores.picture[0],
        ssim=float(scores.ssim),
        pearson=float(scores.pearson),
        mse=float(scores.mse),
        psnr=float(scores.psnr),
        inverted=bool(scores.inverted),
    )


def run_record(config: ReconstructConfig, photos_sha256: str) -> dict[str, Any]:
    """What one needs to get a run's numbers again."""
    return {
        "config": asdict(config),
        "description": config.network().to_dict(),
        "contract": asdict(GREY),
        "input_range": {
            "nonnegative": "pixels in [0, 255]",
            "mean-subtracted": f"pixels in [0, 255] minus {IMAGENET_MEAN}",
        }[config.input],
        "photos_sha256": photos_sha256,
        "environment": environment(resolve_device(config.device)),
    }


def resolve_device(name: str) -> torch.device:
    """The device of a name; `auto` is a GPU if there is one.

    Raises:
        ValueError: cuda was asked for and is not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no CUDA device here; use --device cpu.")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def _open(
    photos: str | Path | Photo | Sequence[str | Path | Photo] | None, size: int | None
) -> Iterator[Photo]:
    if photos is None:
        yield from embedded_photos(size)
        return
    for photo in [photos] if isinstance(photos, str | Path | Photo) else photos:
        if isinstance(photo, Photo):
            yield photo
        else:
            yield from load_photos(photo, size)
