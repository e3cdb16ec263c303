"""The verbs: a frozen dataclass each, whose docstring is the verb's help."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from preimage.app.cli.options import POSITIONAL
from preimage.network.operations import PoolKind, UnpoolKind
from preimage.network.spec import (
    ArchitectureName,
    Checked,
    DeviceName,
    NetworkConfig,
    ReconstructConfig,
)
from preimage.paper.registry import FIGURES
from preimage.sweeps.grid import Execution, SweepConfig

if TYPE_CHECKING:
    FigureName = str
else:
    FigureName = Literal["all", *FIGURES]  # the list of figures stands once


@dataclass(frozen=True, kw_only=True)
class ReconstructCommand(ReconstructConfig):
    """Send photos through a random CNN and back through its random DCN, or a decoder that learned.

    Args:
        decoder: File of a decoder that preimage fit or preimage train wrote; it brings its CNN, and
            of the other options photos, features, size, device and out are left.
        features: With a decoder, a safetensors file with one tensor (N, C, h, w) of features that
            someone else computed, in place of photos; --size is the side of the photos behind it.
        photos: Image files, folders, zips or quoted glob patterns; four photos that scikit-image
            ships if not given.
        out: Folder for the pictures, the scores (records.jsonl) and the run's record (run.json).
    """

    photos: tuple[str, ...] = field(default=(), metadata=POSITIONAL)
    out: str = "preimage-out"
    decoder: str | None = None
    features: str | None = None


@dataclass(frozen=True, kw_only=True)
class ShowCommand(NetworkConfig):
    """Print a CNN and its DCN, one operation a line with its output shape.

    Args:
        size: The input's size in pixels, a square's side or HEIGHTxWIDTH.
        json: Print the description as JSON instead.
    """

    architecture: ArchitectureName = field(default="vgg16", metadata=POSITIONAL)
    size: str = "227"
    json: bool = False


@dataclass(frozen=True, kw_only=True)
class ShapesCommand(Checked):
    """Print the paper's Table 1 for an architecture, with parameters, work and receptive field.

    Args:
        architecture: The network.
        size: The input's size in pixels, a square's side or HEIGHTxWIDTH.
        width_factor: Factor on the channels of every hidden layer.
    """

    architecture: ArchitectureName = field(default="vgg16", metadata=POSITIONAL)
    size: str = "227"
    width_factor: float | None = None


@dataclass(frozen=True, kw_only=True)
class DemoCommand(Checked):
    """Reconstruct four photos from Conv1 to Conv5 by random networks, and write a page about it.

    Args:
        out: Folder for the page (report.html), its pictures and its tables.
        photos: Image files, folders, zips or quoted glob patterns; four photos that scikit-image
            ships if not given.
        networks: Random networks a layer, for means and standard deviations.
        seed: Seed of all random streams.
        weights: The law of the weights.
        size: Photos are cropped to their centre square and resized to this side.
        device: Where to compute; auto takes a GPU if there is one.
    """

    out: str = "preimage-demo"
    photos: tuple[str, ...] = ()
    networks: int = 5
    seed: int = 0
    weights: str = "gaussian:0.1"
    size: int = 227
    device: DeviceName = "auto"


@dataclass(frozen=True, kw_only=True)
class LimitCommand(NetworkConfig):
    """Compute what a random CNN-DCN shows of a photo at infinite width, beside finite networks.

    Args:
        photo: An image file; scikit-image's astronaut if not given.
        out: Folder for the figure (limit.png), the limit itself (limit.npy) and run.json.
        networks: Finite networks, for the measured standard deviation; at least 2.
        seed: Seed of all random streams.
        weights: The law of the weights.
        size: The photo is cropped to its centre square and resized to this side; 0 keeps it.
    """

    photo: str | None = field(default=None, metadata=POSITIONAL)
    out: str = "preimage-limit"
    networks: int = 8
    seed: int = 0
    weights: str = "gaussian:0.1"
    size: int = 227
    pool: PoolKind = "avg"
    unpool: UnpoolKind = "nearest"
    width: int | None = 64
    head: Literal["mean"] = "mean"


@dataclass(frozen=True, kw_only=True)
class SweepExecution(Execution):
    """Where and how long a sweep computes, or only what it would cost.

    Args:
        dry_run: Print what would be computed and what it costs, and stop.
    """

    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class SweepCommand(SweepConfig, SweepExecution):
    """Reconstruct photos by every network of a grid; goes on where it stopped.

    Args:
        action: run computes what is missing; status says what is done, missing and failed.
        data: Image files, folders, zips or quoted glob patterns; four photos that scikit-image
            ships if not given.
        photos: Take only the first so many photos of the data; all if not given.
        out: Folder for one file per cell (cells/), the table (table.csv) and sweep.json.
        parquet: Write the table as table.parquet too; needs the extra `parquet`.
    """

    action: Literal["run", "status"] = field(default="run", metadata=POSITIONAL)
    data: tuple[str, ...] = ()
    photos: int | None = None
    out: str = "preimage-sweep"
    parquet: bool = False


@dataclass(frozen=True, kw_only=True)
class ReproduceCommand(SweepExecution):
    """Reproduce a figure of the paper: compute what is missing, draw it, and keep its numbers.

    Args:
        figure: What to reproduce; theory draws the theorems of Section 5 against random networks;
            all makes one report of everything.
        scale: quick takes minutes on a laptop; paper is the paper's own size.
        data: Image files, folders, zips or quoted glob patterns; photos that scikit-image ships if
            not given.
        train: Photos that decoders are trained on, for figures 2, 3, 4 and 6; as in preimage train.
        held_out: Photos that they are not trained on.
        trained: Trained encoders for figures 2 and 3: files of preimage pretrain, which stand in
            for imagenet, torchvision's pre-trained weights.
        side: Photos are decoded once, as squares of this side; the preset's if not given, as the
            four that follow.
        steps: Steps of each training.
        batch_size: Photos a step.
        width_factor: Factor on the channels of every hidden layer.
        photos: Training and held-out photos that are scored.
        out: Folder for the figures, the tables behind them and what they show.
        networks: Random networks a point; the preset's number if not given.
        delta: The theorems' bounds hold with probability 1 - delta.
        seed: Seed of all random streams.
        device: Where to compute; auto takes a GPU if there is one.
    """

    figure: FigureName = field(metadata=POSITIONAL)
    scale: Literal["quick", "paper"] = "quick"
    data: tuple[str, ...] = ()
    train: str = ""
    held_out: str = ""
    trained: tuple[str, ...] = ()
    side: int | None = None
    steps: int | None = None
    batch_size: int | None = None
    width_factor: float | None = None
    photos: int | None = None
    out: str = "preimage-out"
    networks: int | None = None
    delta: float = 0.05
    seed: int = 0
    device: DeviceName = "auto"
