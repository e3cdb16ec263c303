"""The commands of the verbs: what each is given, composed of the library's option sets.

A verb's docstring is its help; what it does not say of an option, the option set says.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from preimage.app.cli.options import POSITIONAL, option_set
from preimage.app.web.settings import ServeOptions
from preimage.network.ranges import Above0, Positive, Range, Side, SideOrAsItIs
from preimage.network.spec import (
    ArchitectureName,
    Checked,
    DeviceName,
    NetworkConfig,
    ReconstructConfig,
)
from preimage.network.weights import weights_kind
from preimage.paper.options import FigureOptions
from preimage.paper.registry import FIGURES
from preimage.sweeps.grid import Execution, SweepConfig

if TYPE_CHECKING:
    FigureName = str
else:
    FigureName = Literal["all", *FIGURES]  # the list of figures stands once

#: What `reconstruct --decoder` does not take from its file.
WITH_DECODER = (
    "model",
    "photos",
    "features",
    "decoder",
    "size",
    "device",
    "out",
    "strict",
    "sandbox",
)


@dataclass(frozen=True, kw_only=True)
class ReconstructCommand:
    """Send photos through a random CNN and back through its random DCN, or through a decoder file.

    Args:
        photos: Image files, folders, zips or quoted glob patterns; four photos that scikit-image
            ships if not given.
        out: Folder for the pictures, the scores (records.jsonl) and the run's record (run.json);
            preimage-out if not given, preimage-decoded with --decoder.
        decoder: Decoder file that preimage fit or preimage train wrote. It brings its own CNN, so
            that besides it only --features, --model, --size, --device, --strict, --sandbox and
            --out apply.
        features: Features that someone else computed, in place of photos: a safetensors file with
            one tensor (N, C, h, w). Needs --decoder; --size is the side of the photos behind them.
        weights: A law such as gaussian:0.015 or gaussian:fan-in; imagenet or pretrained for weights
            that others trained; or a file (.pth, .safetensors) with the model's state, or what
            preimage pretrain wrote. Trained weights are the CNN's; its DCN stays random. With
            --decoder, the file of its model if it is no longer where it was.
        model: With --decoder, the model that its file names, where opening that runs code or asks
            the network: FILE.py:FUNCTION or hf:OWNER/NAME. A file alone is no reason to.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
        sandbox: Decode photos in a process of its own, with limits on memory, time and pixels: for
            files of strangers.
    """

    photos: tuple[str, ...] = field(default=(), metadata=POSITIONAL)
    out: str | None = None
    decoder: str | None = None
    features: str | None = None
    model: str | None = None
    strict: bool = False
    sandbox: bool = False
    pair: ReconstructConfig = option_set(ReconstructConfig())

    @property
    def folder(self) -> str:
        """Where the results go."""
        return self.out or ("preimage-out" if self.decoder is None else "preimage-decoded")

    @property
    def moved_weights(self) -> str | None:
        """Where the weights of the decoder's model are now; a law is none."""
        weights = self.pair.weights
        return None if weights_kind(weights) == "law" else weights

    def check_given(self, given: Collection[str]) -> None:
        """Refuses options that do not go together.

        Raises:
            ValueError: they do not.
        """
        if self.decoder is None:
            if self.features is not None:
                raise ValueError("`features` needs `decoder`: the file that takes them to pixels.")
            if self.model is not None:
                raise ValueError("`model` needs `decoder`: the file of a layer of that model.")
            return
        if self.features is not None and self.photos:
            raise ValueError("`features` stand in place of `photos`; give one of the two.")
        fitting = {*WITH_DECODER} | ({"weights"} if self.moved_weights else set())
        needless = [f"`{name}`" for name in sorted(set(given) - fitting)]
        if needless:
            raise ValueError(
                f"{', '.join(needless)} cannot be given with `decoder`: its file says it already."
            )


@dataclass(frozen=True, kw_only=True)
class ShowCommand:
    """Print a CNN and its DCN, one operation per line, with the shape of its output.

    Args:
        size: Size of the input in pixels: the side of a square, or HEIGHTxWIDTH.
        json: Print the description as JSON instead.
    """

    network: NetworkConfig = option_set(NetworkConfig(), positional="architecture")
    size: str = "227"
    json: bool = False


@dataclass(frozen=True, kw_only=True)
class InfoCommand:
    """Print versions, device, memory, caches and extras, for a bug report.

    Args:
        json: Print them as JSON instead.
    """

    json: bool = False


@dataclass(frozen=True, kw_only=True)
class ShapesCommand(Checked):
    """Print the paper's Table 1 for an architecture, with parameters, work and receptive fields.

    Args:
        architecture: The network.
        size: Size of the input in pixels: the side of a square, or HEIGHTxWIDTH.
        width_factor: Factor on the channels of every hidden layer.
    """

    architecture: ArchitectureName = field(default="vgg16", metadata=POSITIONAL)
    size: str = "227"
    width_factor: Above0 | None = None


@dataclass(frozen=True, kw_only=True)
class DemoCommand(Checked):
    """Reconstruct photos from Conv1 to Conv5 by random networks, and write a page about it.

    Args:
        out: Folder for the page (report.html), its pictures and its tables.
        photos: Image files, folders, zips or quoted glob patterns; four photos that scikit-image
            ships if not given.
        networks: Random networks per layer and width, for means and standard deviations; ten times
            as many where a verdict rests on them.
        seed: Seed of all random streams.
        weights: A law such as gaussian:0.015 or gaussian:fan-in: these networks are random.
        size: Photos are cropped to their centre square and resized to this side, in pixels.
        device: Where to compute; auto takes a GPU if there is one.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
    """

    out: str = "preimage-demo"
    photos: tuple[str, ...] = ()
    networks: Positive = 3
    seed: int = 0
    weights: str = "gaussian:0.1"
    size: Side = 227
    device: DeviceName = "auto"
    strict: bool = False


@dataclass(frozen=True, kw_only=True)
class LimitCommand(Checked):
    """Compute what a random CNN-DCN shows of a photo at infinite width, next to finite networks.

    The DCN ends in the mean over channels, as in the paper's Definition 5.1.

    Args:
        photo: An image file; scikit-image's astronaut if not given.
        out: Folder for the page (report.html), its figure (limit.png), the limit itself (limit.npy)
            and run.json.
        networks: Finite networks, for the measured standard deviation; at least 2.
        seed: Seed of all random streams.
        weights: A law such as gaussian:0.015 or gaussian:fan-in: these networks are random.
        size: The photo is cropped to its centre square and resized to this side; 0 keeps it.
        width: Channels of every hidden layer of the finite networks.
    """

    photo: str | None = field(default=None, metadata=POSITIONAL)
    out: str = "preimage-limit"
    networks: Annotated[int, Range(2)] = 8
    seed: int = 0
    weights: str = "gaussian:0.1"
    size: SideOrAsItIs = 227
    network: NetworkConfig = option_set(
        NetworkConfig(pool="avg", unpool="nearest", width=64, head="mean"), without=("head",)
    )


@dataclass(frozen=True, kw_only=True)
class ServeCommand:
    """Show random networks on a page in the browser: choose, slide, and see what comes back.

    It listens on this machine only unless told otherwise, and stops with Ctrl-C.
    """

    server: ServeOptions = option_set(ServeOptions())


@dataclass(frozen=True, kw_only=True)
class SweepCommand(Checked):
    """Reconstruct photos by every network of a grid; the same command resumes where it stopped.

    Args:
        action: run computes what is missing; status says what is done, missing and failed.
        data: Image files, folders, zips or quoted glob patterns; four photos that scikit-image
            ships if not given.
        photos: Take only the first so many photos of the data; all if not given.
        out: Folder for one file per cell (cells/), the table (table.csv) and sweep.json.
        parquet: Write the table as table.parquet too; needs pip install 'preimage[parquet]'.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
        dry_run: Print what would be computed and what it costs, and stop.
    """

    action: Literal["run", "status"] = field(default="run", metadata=POSITIONAL)
    data: tuple[str, ...] = ()
    photos: Positive | None = None
    out: str = "preimage-sweep"
    parquet: bool = False
    strict: bool = False
    dry_run: bool = False
    grid: SweepConfig = option_set(SweepConfig())
    execution: Execution = option_set(Execution())


@dataclass(frozen=True, kw_only=True)
class ReproduceCommand(Checked):
    """Reproduce a figure of the paper: compute what is missing, draw it, and keep its numbers.

    Args:
        figure: What to reproduce; theory draws the theorems of Section 5 against random networks;
            all makes one report of everything.
        scale: quick takes minutes on a laptop; paper is the paper's own size.
        data: Image files, folders, zips or quoted glob patterns; photos that scikit-image ships if
            not given.
        train: Photos that decoders are trained on; as in preimage train.
        held_out: Photos to score decoders on that they are not trained on.
        trained: Trained encoders for figures 2 and 3: files of preimage pretrain, in place of
            torchvision's pre-trained weights.
        side: Photos are read once, as squares of this side in pixels; as the four options that
            follow, the scale's own if not given.
        steps: Steps of each training.
        batch_size: Photos per step.
        width_factor: Factor on the channels of every hidden layer.
        photos: Training and held-out photos that are scored.
        out: Folder for the figures, the tables behind them and what they show.
        networks: Random networks per point; the scale's number if not given.
        delta: The theorems' bounds hold with probability 1 - delta.
        seed: Seed of all random streams.
        device: Where to compute; auto takes a GPU if there is one.
        dry_run: Print what would be computed and what it costs, and stop.
    """

    figure: FigureName = field(metadata=POSITIONAL)
    options: FigureOptions = option_set(FigureOptions(figure="all"), without=("figure",))
    dry_run: bool = False
