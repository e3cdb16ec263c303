"""Photos through a random CNN and back through its random DCN (Section 4), nothing trained."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from preimage.data.each_photo import each_photo, keeping
from preimage.data.photo import Photo
from preimage.data.photos import Photos
from preimage.data.progress import progress
from preimage.data.records import environment
from preimage.network.build import Network, build
from preimage.network.description import Description
from preimage.network.device import resolve_device
from preimage.network.spec import IMAGENET_MEAN, EncoderSpec, OwnCnnConfig, ReconstructConfig
from preimage.network.trace import Size, input_sizes
from preimage.scores.metrics import GREY
from preimage.sweeps.enough_memory import require_maps, require_pairs, require_weights
from preimage.sweeps.reconstruction import Reconstruction, Reconstructions, score
from preimage.sweeps.stages import Stage, rest

#: Configs that are equal but for these fields share one CNN, as far as each of them goes.
ONE_CNN: dict[str, Any] = {"unpool": "zeros", "head": "conv", "layer": "conv1"}


def reconstruct(
    photos: Photos | None = None,
    config: ReconstructConfig | None = None,
    *,
    encoder: Description | nn.Module | None = None,
    **options: Any,
) -> Reconstructions:
    """Sends photos through a random CNN, or one of your own, and its random DCN.

        >>> from preimage import reconstruct
        >>> cat = reconstruct(layer="conv1", pooled=True, head="mean", unpool="nearest")[1]
        >>> f"{cat.photo.name}: SSIM {cat.ssim:.2f}, Pearson {cat.pearson:.2f}"
        'chelsea: SSIM 0.59, Pearson 0.87'

    Args:
        photos: files, folders, zips or patterns, `Photo` objects, PIL images, arrays, tensors
            (see `preimage.load_photos`); four embedded photos if not given.
        config: the network and the preparation of the photos; `options` change single fields of it.
        encoder: a CNN of your own in place of an architecture: a `Description`, whose weights are
            drawn, or a `Network` built from one, with the weights that it has. A layer of any other
            module has no random DCN: `preimage.probe` decodes it.

    Raises:
        PhotoError: a photo can't be read, or is too small for the layer or for the scores.
        ValueError: an option does not fit the network; or the encoder is another module.
        TypeError: no such option.
        Interrupted: Ctrl-C came; `results` has the reconstructions of the photos before.
    """
    if unknown := sorted(options.keys() - {field.name for field in fields(ReconstructConfig)}):
        known = ", ".join(field.name for field in fields(ReconstructConfig))
        raise TypeError(f"reconstruct has no option `{unknown[0]}`; there are encoder, {known}.")
    config = replace(config or ReconstructConfig(), **options)
    network = None
    if encoder is not None:
        config, network = own_cnn(encoder, config)
    if photos is None or isinstance(photos, str | Path):  # files, which are resized
        require_pairs([config])
    results = Reconstructions()
    with keeping(results):
        pairs = each_photo(RandomPair(config, encoder=network), photos, config.size or None)
        for _, result in progress(pairs, "photos"):
            results.append(result)
    return results


def own_cnn(
    encoder: Description | nn.Module, config: ReconstructConfig
) -> tuple[OwnCnnConfig, Network | None]:
    """The config with this CNN in place of an architecture, and the CNN if it is built already.

    Raises:
        ValueError: the encoder is no network of a description, or the config describes another.
    """
    if not isinstance(encoder, Description | Network):
        raise ValueError(
            f"`encoder` must be a Description or a Network built from one, got a "
            f"{type(encoder).__name__}, which has no mirror; preimage.probe(model, photos) decodes "
            "the layers of any module."
        )
    default = ReconstructConfig()
    of_cnn = [field.name for field in fields(EncoderSpec)]
    if other := [name for name in of_cnn if getattr(config, name) != getattr(default, name)]:
        raise ValueError(
            f"`{other[0]}` cannot be given with `encoder`; change its description, as in "
            "vgg16().cut('conv2').with_width(8)."
        )
    network = encoder if isinstance(encoder, Network) else None
    description = encoder if isinstance(encoder, Description) else encoder.description
    return OwnCnnConfig(**{**vars(config), "description": description}), network


class RandomPair:
    """A random CNN and one or more random DCNs behind it, or behind layers on its way.

    Args:
        configs: differ only in their DCN (`unpool`, `head`) and in how far their CNN goes, so that
            the CNN's features are computed once.
        encoder: the CNN of the configs if it is built already; its weights are drawn if not given.

    Raises:
        ValueError: an option does not fit; there is no such law or device; or the CNNs differ.
    """

    def __init__(self, *configs: ReconstructConfig, encoder: Network | None = None) -> None:
        first = configs[0]
        if len({replace(config, **ONE_CNN) for config in configs}) > 1:
            raise ValueError(
                "`configs` share one CNN: they may differ in `layer`, `unpool` and `head` only."
            )
        self.device = resolve_device(first.device)
        self.input = first.input

        def random(description: Description) -> Network:
            return build(
                description,
                first.weights,
                seed=first.seed,
                network_number=first.network_number,
                device=self.device,
            )

        self._fitting: set[Size] = set()  # sizes of photos of which it is known
        self._stages: list[Stage] = []
        by_depth: dict[Description, list[int]] = {}
        for index, config in enumerate(configs):
            by_depth.setdefault(config.encoder(), []).append(index)
        if encoder is None:
            for index, *_ in by_depth.values():
                require_weights(configs[index])
        before = None
        for whole in sorted(by_depth, key=lambda description: len(description.operations)):
            given = encoder and encoder.to(self.device).eval()
            stage = Stage(whole, given or random(rest(whole, before)))
            for index in by_depth[whole]:
                stage.add(index, configs[index].mirror(), random)
            self._stages.append(stage)
            before = whole

    @property
    def networks(self) -> list[Network]:
        """The CNN, and all parts of the DCNs."""
        return [network for stage in self._stages for network in stage.networks]

    def __call__(self, photo: Photo) -> Reconstruction:
        """The reconstruction by the first DCN.

        Raises:
            ValueError: the photo is too small for the CNN or for the scores.
        """
        return self.all(photo)[0]

    def all(self, photo: Photo) -> list[Reconstruction]:
        """One reconstruction per DCN.

        Raises:
            ValueError: the photo is too small for the CNN or for the scores.
        """
        return [result for (result,) in self.each([photo])]

    @torch.inference_mode()
    def each(self, photos: Sequence[Photo]) -> list[Reconstructions]:
        """For each DCN one reconstruction per photo; photos of one size are scored together.

        Raises:
            ValueError: a photo is too small for the CNN or for the scores.
        """
        outputs = [self._outputs(photo) for photo in photos]
        return [score(photos, of_decoder) for of_decoder in zip(*outputs, strict=True)]

    def _outputs(self, photo: Photo) -> list[Tensor]:
        x = photo.pixels[None].to(self.device)
        if self.input == "mean-subtracted":
            x = x - torch.tensor(IMAGENET_MEAN, device=self.device)[:, None, None]
        size = (x.shape[-2], x.shape[-1])
        sizes = input_sizes(self._stages[-1].description, *size)
        self._require_maps(size)
        outputs: dict[int, Tensor] = {}
        for stage in self._stages:
            x = stage.segment(x)
            outputs |= stage.outputs(x, sizes)
        return [outputs[index] for index in range(len(outputs))]

    def _require_maps(self, size: Size) -> None:
        """Refuses a photo whose maps do not fit in memory, before the first is computed."""
        if size not in self._fitting:
            for stage in self._stages:
                require_maps(stage.description, stage.bodies, size, self.device.type)
            self._fitting.add(size)


def run_record(config: ReconstructConfig, photos_sha256: str) -> dict[str, Any]:
    """What it takes to repeat a run, as plain data."""
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
