"""The commands of the verbs about any model's layers."""

from dataclasses import dataclass, field
from typing import Annotated

from preimage.app.cli.options import POSITIONAL, option_set
from preimage.network.ranges import Above0, Kernel, Range, SideOrAsItIs
from preimage.network.spec import Checked


@dataclass(frozen=True, kw_only=True)
class PixelOptions(Checked):
    """What a model wants its pixels to be, where its library does not say or something else holds.

    Args:
        size: Side of the photos in pixels, cropped to their centre square; the model's own if 0.
        mean: Taken from each channel, of pixels divided by --scale.
        std: What each channel is divided by then.
        scale: What pixels in [0, 255] are divided by first; 255 if not given.
        raw: Give the model pixels in [0, 255] as they are; it normalises them itself.
    """

    size: SideOrAsItIs = 0
    mean: tuple[float, ...] = ()
    std: tuple[Above0, ...] = ()
    scale: Above0 | None = None
    raw: bool = False


@dataclass(frozen=True, kw_only=True)
class ProbeCommand(Checked):
    """Measure what layers of any model retain of photos, against random twins of the same model.

    A linear decoder is fitted to each layer's features on training photos and scored on held-out
    ones; a twin is the same model with weights drawn again. The results are a table and a page.

    Args:
        model: The model: torchvision:NAME, timm:NAME, hf:OWNER/NAME, vgg16, alexnet, or
            FILE.py:FUNCTION, a function that returns a torch module; the file is run.
        weights: A law such as gaussian:0.015 or gaussian:fan-in; imagenet or pretrained for weights
            that others trained; or a file (.pth, .safetensors) with the model's state, or what
            preimage pretrain wrote. The model is untrained if not given.
        layers: Names of modules, as preimage layers lists them, or quoted glob patterns; auto takes
            the last at each resolution and every k-th transformer block.
        data: Photos to fit decoders to; as in preimage train.
        held_out: Photos to score; the last quarter of --data if not given.
        other: Photos of another domain, scored with the same decoders.
        photos: Use only the first so many of each; all if 0.
        twins: Random twins; at least 2 for a verdict.
        initialisation: How twins are drawn: a law such as gaussian:fan-in; as the untrained model
            is if not given.
        window: Side of the window of features that a block of pixels is read from; odd.
        positions: Fit decoders at so many random positions of each photo; all if 0.
        components: Read only so many principal components of each layer's channels, for windows of
            wide layers; all channels if 0.
        leakage: Compute how well photos can be read from features with noise, in few bits or in
            part.
        bands: Compute how much of the photos' variance comes back, by frequency and colour.
        rungs: Decoders: linear, and besides it dcn (trained on each layer's features) and inversion
            (descent on the picture), which take minutes per layer and are computed for the model
            and its first twin.
        infinite_width: Compute the line at infinite width at so many positions of each layer, too,
            the model and its twins read again at the same ones; vgg16 and alexnet alone. No line
            if 0.
        seed: Seed of the twins.
        out: Folder for the page (probe.html), the numbers (probe.json) and each network's own; the
            same command resumes it.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
        dry_run: Print layers, networks and minutes, and stop.
    """

    model: str
    weights: str | None = None
    layers: tuple[str, ...] = ("auto",)
    data: str = ""
    held_out: str = ""
    other: str = ""
    photos: int = 0
    twins: Annotated[int, Range(0, 1000)] = 5
    initialisation: str | None = None
    window: Kernel = 1
    positions: int = 0
    components: int = 0
    leakage: bool = False
    bands: bool = False
    rungs: tuple[str, ...] = ("linear",)
    infinite_width: int = 0
    seed: int = 0
    out: str = "preimage-probe"
    strict: bool = False
    dry_run: bool = False
    pixels: PixelOptions = option_set(PixelOptions())


@dataclass(frozen=True, kw_only=True)
class LayersCommand(Checked):
    """List the layers of a model that can be probed, with the shapes of their features.

    Args:
        model: The model: torchvision:NAME, timm:NAME, hf:OWNER/NAME, vgg16, alexnet, or
            FILE.py:FUNCTION, a function that returns a torch module; the file is run.
        size: Side of the photos in pixels; the model's own if 0.
    """

    model: str = field(metadata=POSITIONAL)
    size: SideOrAsItIs = 0
