"""Photos through a random CNN and back through its random DCN (Section 4), nothing trained."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.data.photo import Photo, open_photos, to_image
from preimage.data.records import environment, write_atomically
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.device import resolve_device
from preimage.network.operations import ChannelMean, Conv, Operation, Unpool
from preimage.network.spec import IMAGENET_MEAN, ReconstructConfig
from preimage.network.trace import input_sizes
from preimage.scores.metrics import GREY, grey_scores


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
        """Writes the grey picture; the file name's ending chooses the format.

        Raises:
            OSError: the folder can't be written to.
            ValueError: Pillow knows no format of that ending.
        """
        write_atomically(Path(path), to_image(self.grey[None]).save)

    def record(self) -> dict[str, Any]:
        """The scores and their contract as plain data; an infinite PSNR is None, as in JSON."""
        scores = {name: getattr(self, name) for name in ("ssim", "pearson", "mse")}
        scores["psnr"] = self.psnr if math.isfinite(self.psnr) else None
        return {
            "photo": self.photo.name,
            "source": self.photo.source,
            "photo_sha256": self.photo.sha256,
            **scores,
            "inverted": self.inverted,
            "contract": asdict(GREY),
        }


def reconstruct(
    photos: str | Path | Sequence[str | Path] | None = None,
    config: ReconstructConfig | None = None,
    **words: Any,
) -> list[Reconstruction]:
    """Sends photos through a random CNN and its random DCN.

        >>> from preimage import reconstruct
        >>> cat = reconstruct(layer="conv1", pooled=True, head="mean", unpool="nearest")[1]
        >>> f"{cat.photo.name}: SSIM {cat.ssim:.2f}, Pearson {cat.pearson:.2f}"
        'chelsea: SSIM 0.59, Pearson 0.87'

    Args:
        photos: files, folders, zips or glob patterns; the embedded ones if not given.
        config: the network and the photos' preparation; `words` change single fields of it.

    Raises:
        PhotoError: a photo can't be read.
        ValueError: a word does not fit, or a photo is too small for the layer.
    """
    config = replace(config or ReconstructConfig(), **words)
    pair = RandomPair(config)
    return [pair(photo) for photo in open_photos(photos, config.size or None)]


class RandomPair:
    """A random CNN and one or more random DCNs behind it, ready for photos.

    Args:
        configs: differ only in what stands behind the CNN (`unpool`, `head`), so that its
            features are computed once.

    Raises:
        ValueError: a word does not fit; no such law or device; or the CNNs differ.
    """

    def __init__(self, *configs: ReconstructConfig) -> None:
        first = configs[0]
        if len({replace(config, unpool="zeros", head="conv") for config in configs}) > 1:
            raise ValueError("the configs of a RandomPair may differ in `unpool` and `head` alone.")
        self.device = resolve_device(first.device)
        self.input = first.input

        def random(description: Description) -> Network:
            return build(
                description,
                first.weights,
                seed=first.seed,
                network=first.network_number,
                device=self.device,
            )

        self.encoder = random(first.encoder())
        self._bodies: list[tuple[Network, list[int]]] = []  # what several heads share, and whose
        self._heads: list[Network] = []
        shared: dict[tuple[Operation, ...], list[int]] = {}
        for index, config in enumerate(configs):
            body, head = split_head(config.mirror())
            if body.operations not in shared:
                shared[body.operations] = []
                self._bodies.append((random(body), shared[body.operations]))
            shared[body.operations].append(index)
            self._heads.append(random(head))

    @property
    def networks(self) -> list[Network]:
        """The CNN, and all parts of the DCNs."""
        return [self.encoder, *(body for body, _ in self._bodies), *self._heads]

    def __call__(self, photo: Photo) -> Reconstruction:
        """The reconstruction by the first DCN.

        Raises:
            ValueError: the photo is too small for the CNN or for the scores.
        """
        return self.all(photo)[0]

    def all(self, photo: Photo) -> list[Reconstruction]:
        """One reconstruction a DCN.

        Raises:
            ValueError: the photo is too small for the CNN or for the scores.
        """
        return [result for (result,) in self.each([photo])]

    @torch.inference_mode()
    def each(self, photos: Sequence[Photo]) -> list[list[Reconstruction]]:
        """For each DCN one reconstruction a photo; photos of one size are scored together.

        Raises:
            ValueError: a photo is too small for the CNN or for the scores.
        """
        outputs = [self._outputs(photo) for photo in photos]
        return [score(photos, of_decoder) for of_decoder in zip(*outputs, strict=True)]

    def _outputs(self, photo: Photo) -> list[Tensor]:
        pixels = photo.pixels[None].to(self.device)
        if self.input == "mean-subtracted":
            pixels = pixels - torch.tensor(IMAGENET_MEAN, device=self.device)[:, None, None]
        sizes = input_sizes(self.encoder.description, *pixels.shape[-2:])
        features = self.encoder(pixels)
        outputs: dict[int, Tensor] = {}
        for body, heads in self._bodies:
            height, width = features.shape[-2:]
            known = input_sizes(body.description, height, width, sizes)
            maps = body(features, sizes)
            for index in heads:
                outputs[index] = self._heads[index](maps, known).cpu()
        return [outputs[index] for index in range(len(outputs))]


def split_head(decoder: Description) -> tuple[Description, Description]:
    """A DCN in two: what its heads share, and from its last convolution or channel mean on.

    An unpooling stays with the convolution behind it, which computes both at once.
    """
    ops = decoder.operations
    end = next(
        index
        for index, op in enumerate(ops)
        if isinstance(op, ChannelMean) or (isinstance(op, Conv) and op.output)
    )
    end -= end > 0 and isinstance(ops[end - 1], Unpool)
    body = Description(f"{decoder.name} body", ops[:end], decoder.in_channels)
    return body, Description(f"{decoder.name} head", ops[end:], body.out_channels)


def score(
    photos: Sequence[Photo], outputs: Sequence[Float[Tensor, "1 C H W"]]
) -> list[Reconstruction]:
    """The outputs of a network for photos, scored by the grey contract."""
    by_size: dict[torch.Size, list[int]] = {}
    for index, photo in enumerate(photos):
        by_size.setdefault(photo.pixels.shape, []).append(index)
    results: dict[int, Reconstruction] = {}
    for indices in by_size.values():
        originals = torch.stack([photos[index].pixels for index in indices])
        scores = grey_scores(originals, torch.cat([outputs[index] for index in indices]))
        for row, index in enumerate(indices):
            results[index] = Reconstruction(
                photos[index],
                outputs[index][0],
                scores.picture[row],
                ssim=float(scores.ssim[row]),
                pearson=float(scores.pearson[row]),
                mse=float(scores.mse[row]),
                psnr=float(scores.psnr[row]),
                inverted=bool(scores.inverted[row]),
            )
    return [results[index] for index in range(len(photos))]


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
