"""The command of `preimage retain`."""

from dataclasses import dataclass

from preimage.app.cli.options import option_set
from preimage.network.ranges import Kernel, Positive, Side
from preimage.network.spec import Checked, EncoderSpec


@dataclass(frozen=True, kw_only=True)
class RetainCommand(Checked):
    """Compute what the layers of a random network retain of photos at infinite width.

    No network is drawn: at infinite width the least-squares decoder of a layer is kernel ridge
    regression with a kernel that is known exactly. The results are a table and a page.

    Args:
        layers: Blocks such as conv2 or single convolutions such as conv3_1, before any pool behind
            them.
        data: Photos to fit to; as in preimage train. Crops of three photos that scikit-image ships
            if not given.
        held_out: Photos to score; the last quarter of --data if not given, crops of a fourth
            photo without --data.
        photos: Use only the first so many of each; all if 0.
        size: Photos are cropped to their centre square and resized to this side.
        positions: Positions of each layer to fit to.
        scored: Positions of held-out photos to score.
        landmarks: Pair all positions with so many of those fitted to alone (Nyström), which Conv4
            and Conv5 need; what it costs is said. All with all if 0.
        tile: Side of the tiles in which positions are taken; larger ones are cheaper and tell less.
        window: Side of the window of features that a block of pixels is read from; odd.
        weights: A law such as gaussian:0.015 or gaussian:fan-in; imagenet or pretrained for weights
            that others trained; or a file (.pth, .safetensors) with the model's state, or what
            preimage pretrain wrote. A network with these weights stands beside the line, read at
            the same positions; trained ones bring their own pools. No network if not given.
        widths: Numbers of channels at which the error of networks is predicted, too.
        draws: Draws of the layers before a max or l2 pool, which have no closed form.
        search: Compare 60 small architectures instead, and --layers behind their pools, at equal
            numbers of channels per pixel value; the page is architectures.html.
        seed: Seed of the positions and of what is drawn.
        threads: Threads that share the work; all of the machine's if 0.
        double: Compute kernels in double precision.
        out: Folder for the page (retain.html), the numbers (retain.json) and the kernels' rows; the
            same command goes on from there.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
        dry_run: Print positions, minutes and memory, and stop.
    """

    layers: tuple[str, ...] = ("conv1", "conv2", "conv3")
    data: str = ""
    held_out: str = ""
    photos: int = 0
    size: Side = 64
    positions: Positive = 512
    scored: Positive = 256
    landmarks: int = 0
    tile: Positive = 4
    window: Kernel = 1
    weights: str | None = None
    widths: tuple[Positive, ...] = ()
    draws: Positive = 3
    search: bool = False
    seed: int = 0
    threads: int = 0
    double: bool = False
    out: str = "preimage-retain"
    strict: bool = False
    dry_run: bool = False
    network: EncoderSpec = option_set(
        EncoderSpec(pool="avg", slope=0.2),
        without=("layer", "pooled", "width", "width_factor", "simplified"),
        positional="architecture",
    )
