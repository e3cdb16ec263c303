"""What a model wants its pixels to be: given, or read from where its library keeps it.

Photos come as pixels in [0, 255], already brought to the model's size. What is left to do before
the model sees them is a scale, a mean and a standard deviation per channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from preimage.network.ranges import Above0, Side

#: Of pixels in [0, 1], as torchvision's and most of timm's networks were trained.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """(pixels / `scale` − mean) / std for square photos of side `size`.

    Args:
        size: side of the photos in pixels.
        mean: per channel, of pixels divided by `scale`.
        std: per channel.
        scale: what pixels in [0, 255] are divided by; 1 for a model that takes them as they are.
        source: where these values come from.
    """

    size: Side = 224
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[Above0, ...] = (1.0, 1.0, 1.0)
    scale: Above0 = 255.0
    source: str = "given"

    def __call__(self, pixels: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
        """The model's input."""
        mean, std = (pixels.new_tensor(v)[:, None, None] for v in (self.mean, self.std))
        return (pixels / self.scale - mean) / std


#: For models that take pixels in [0, 255] and normalise them themselves.
RAW = Preprocessing(scale=1.0)


def find_preprocessing(
    model: nn.Module, weights: Any = None, processor: Any = None
) -> Preprocessing:
    """The preprocessing that a model was trained with.

    Looks at timm's `pretrained_cfg`, then at a Hugging Face image processor, then at torchvision's
    `weights.transforms()`.

    Args:
        weights: a torchvision weights entry, such as `ResNet50_Weights.DEFAULT`.
        processor: a Hugging Face image processor.

    Raises:
        ValueError: none of them is there.
    """
    config = getattr(model, "pretrained_cfg", None)
    if isinstance(config, dict) and "mean" in config:
        size = config.get("test_input_size") or config.get("input_size") or (3, 224, 224)
        return Preprocessing(
            int(size[-1]), tuple(config["mean"]), tuple(config["std"]), source="timm pretrained_cfg"
        )
    if processor is not None and getattr(processor, "image_mean", None):
        return Preprocessing(
            _processor_size(processor),
            tuple(processor.image_mean),
            tuple(processor.image_std),
            source="Hugging Face image processor",
        )
    if weights is not None and hasattr(weights, "transforms"):
        transforms = weights.transforms()
        size = transforms.crop_size
        return Preprocessing(
            int(size[0] if isinstance(size, list | tuple) else size),
            tuple(transforms.mean),
            tuple(transforms.std),
            source=f"torchvision {weights}",
        )
    raise ValueError(
        "`preprocessing` is not known for this model: give Preprocessing(size=224, mean=(…), "
        "std=(…)) of pixels in [0, 1], or probing.RAW if it takes pixels in [0, 255]."
    )


def changed_preprocessing(
    found: Preprocessing | None,
    size: int = 0,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    scale: float | None = None,
    raw: bool = False,
) -> Preprocessing:
    """A model's preprocessing with what is given in its place.

    Args:
        found: the model's own; None where nothing tells it.
        size: side of the photos in pixels; 0 leaves it, or takes 224.
        mean: three values, of pixels divided by `scale`; given together with `std`.
        raw: the model takes pixels in [0, 255] as they are.

    Raises:
        ValueError: nothing tells the preprocessing, or what is given does not go together.
    """
    if raw and (mean or std or scale):
        raise ValueError("`raw` says that pixels stay as they are; leave `mean` and `std` out.")
    side = size or (found or RAW).size
    if raw:
        return replace(RAW, size=side)
    if mean or std:
        if not (len(mean) == len(std) == 3 and all(value > 0 for value in std)):
            raise ValueError(
                f"`mean` and `std` are three values each, those of `std` positive, got "
                f"{tuple(mean)} and {tuple(std)}."
            )
        return Preprocessing(side, tuple(mean), tuple(std), scale or 255.0)
    if found is None:
        raise ValueError(
            "`model`: nothing tells how it wants its pixels; give `mean` and `std` of pixels in "
            "[0, 1], or `raw` if it takes pixels in [0, 255]."
        )
    return replace(found, size=side, scale=scale or found.scale)


def _processor_size(processor: Any) -> int:
    size = getattr(processor, "crop_size", None) or processor.size
    if isinstance(size, int):
        return size
    values = dict(size)
    return int(values.get("height") or values.get("shortest_edge") or 224)
